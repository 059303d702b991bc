import { resolve } from "node:path";
import { checkArtefacts } from "../artefacts/check.ts";
import { readArtefacts } from "../artefacts/files.ts";
import { CommandFailure } from "./failure.ts";

/**
 * Checks the dashboards, provisioning files and alert rules of a folder that is laid out as gleaner's own:
 * `dashboards/`, `provisioning/grafana/`, `provisioning/prometheus/*.rules.yml`. Prints a line for each problem.
 * @throws {CommandFailure} when there is a problem, or nothing to check
 */
export function checkArtefactsIn(folder: string, print: (text: string) => void): void {
  const files = readArtefacts(resolve(folder));
  if (files.length === 0)
    throw new CommandFailure(`${folder}: there is neither dashboards/ nor provisioning/ with files to check.`);
  const problems = checkArtefacts(files);
  for (const problem of problems) print(problem);
  if (problems.length > 0)
    throw new CommandFailure(
      `${problems.length} ${problems.length === 1 ? "problem" : "problems"} in ${files.length} files.`,
    );
  print(`ok      ${files.length} files`);
}
