import { dirname, resolve } from "node:path";
import { type Finding, loadPluginFile, nameOf, type PluginFile } from "../../contract/load.ts";
import { lineOf } from "../../contract/locate.ts";
import { plugins as builtIn } from "../../plugins/registry.gen.ts";
import { CommandFailure } from "../failure.ts";

const OWN_FOLDER = resolve(import.meta.dirname, "../../plugins");

/** A file as it was named, with what was found in it. */
interface Judged extends PluginFile {
  readonly file: string;
}

/** What is generated from the plugins lies among them, where a pattern of the shell finds it. */
const isGenerated = (file: string) => /\.gen\.[cm]?[jt]s$/.test(file);

/** One of those that come with gleaner: the others have to make way. */
const isOwn = (file: string) => dirname(resolve(file)) === OWN_FOLDER && builtIn.some(({ id }) => id === nameOf(file));

/** Ids and metrics that another plugin has: of the files given, and of those that come with gleaner. */
function collisions({ plugin, source, file }: Judged, others: readonly Judged[]): Finding[] {
  if (!plugin || isOwn(file)) return [];
  const owners = [
    ...builtIn.map((other) => ({ other, by: `gleaner's own ${other.id}` })),
    ...others.flatMap((other) =>
      other.plugin && other.file !== file ? [{ other: other.plugin, by: other.file }] : [],
    ),
  ];
  const metrics = Object.keys(plugin.metrics).flatMap((key) => {
    const owner = owners.find(({ other }) => other.id !== plugin.id && Object.hasOwn(other.metrics, key));
    return owner ? [{ line: lineOf(source, ["metrics", key]), message: `${key} is declared by ${owner.by}, too` }] : [];
  });
  const twin = owners.find(({ other }) => other.id === plugin.id);
  return [
    ...metrics,
    ...(twin ? [{ line: lineOf(source, ["id"]), message: `${twin.by} has the id ${plugin.id}, too` }] : []),
  ];
}

/**
 * Holds plugin files to the contract: loads each, which runs it, and prints `file:line: message` for whatever is wrong.
 * @throws {CommandFailure} when something is
 */
export async function validatePlugins(files: readonly string[], print: (text: string) => void): Promise<void> {
  const judged: Judged[] = [];
  for (const file of files.filter((name) => !isGenerated(name)))
    judged.push({ file, ...(await loadPluginFile(resolve(file))) });
  if (judged.length === 0) throw new CommandFailure("There is no plugin among these files.");
  let count = 0;
  for (const one of judged) {
    const findings = [...one.findings, ...collisions(one, judged)].toSorted((a, b) => a.line - b.line);
    count += findings.length;
    for (const { line, message } of findings) print(`${one.file}:${line}: ${message}`);
    if (findings.length === 0 && one.plugin) print(summary(one.file, one.plugin));
  }
  if (count > 0)
    throw new CommandFailure(`${count} ${count === 1 ? "problem" : "problems"} in ${judged.length} plugin files.`);
}

function summary(file: string, { id, metrics, jobs }: NonNullable<PluginFile["plugin"]>): string {
  return `ok      ${file}: ${id}, ${Object.keys(metrics).length} metrics, jobs ${Object.keys(jobs).join(", ")}`;
}
