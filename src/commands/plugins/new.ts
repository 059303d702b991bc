import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SNAKE } from "../../contract/fault.ts";
import { canonicalPluginId } from "../../model/plugin.ts";
import { CommandFailure } from "../failure.ts";
import { caseFiles, pluginSource } from "./template.ts";

/** Longer ones leave no room in a metric's name, and none on a line. */
const MAX_ID = 40;

/**
 * Writes a new plugin and its first case into a working copy of gleaner: `src/plugins/<id>.ts` and
 * `test/plugins/<id>/cases/first/`. Nothing that is there is written over.
 * @throws {CommandFailure} when the id is none, or something is there already
 */
export async function newPlugin(cwd: string, given: string, print: (text: string) => void): Promise<void> {
  const id = canonicalPluginId(given);
  if (!SNAKE.test(id) || id.length > MAX_ID)
    throw new CommandFailure(`${given}: expected an id such as weather_station, of at most ${MAX_ID} characters.`);
  if (!existsSync(join(cwd, "src/plugins/registry.gen.ts")))
    throw new CommandFailure("This is no working copy of gleaner: there is no src/plugins/ here.");
  const folder = `test/plugins/${id}/cases/first`;
  const files = [
    [`src/plugins/${id}.ts`, pluginSource(id)] as const,
    ...Object.entries(caseFiles(id)).map(([name, text]) => [`${folder}/${name}`, text] as const),
  ];
  const taken = files.find(([path]) => existsSync(join(cwd, path)));
  if (taken) throw new CommandFailure(`${taken[0]} is there already.`);
  for (const [path, text] of files) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), text, { flag: "wx" });
    print(`wrote ${path}`);
  }
  print("Next: npm run generate && node --test test/plugins/cases.test.ts 'test/contract/*.test.ts'");
}
