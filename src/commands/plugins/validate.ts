import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { COMMAND_PATIENCE_MS, createExternal, type External } from "../../app/external.ts";
import { type Finding, loadPluginFile, nameOf, type PluginFile } from "../../contract/load.ts";
import { lineOf } from "../../contract/locate.ts";
import { createLogger } from "../../log.ts";
import { plugins as builtIn } from "../../plugins/registry.gen.ts";
import { CommandFailure } from "../failure.ts";
import { isAmongOwn, namedPlugin } from "./own.ts";

/** A file as it was named, with what was found in it. */
interface Judged extends PluginFile {
  readonly file: string;
  /** SHA-256 of all its files, of one that is none of gleaner's own. */
  readonly digest?: string;
}

/** What is generated from the plugins lies among them, where a pattern of the shell finds it. */
const isGenerated = (file: string) => /\.gen\.[cm]?[jt]s$/.test(file);

/** One of those that come with gleaner: the others have to make way. */
const isOwn = (file: string) => isAmongOwn(file) && builtIn.some(({ id }) => id === nameOf(file));

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

/** Loads one of gleaner's own here, and any other in a process of its own. */
async function judge(file: string, external: External): Promise<Judged> {
  if (isAmongOwn(file)) return { file, ...(await loadPluginFile(resolve(file))) };
  const loaded = await external.loadOne(namedPlugin(file, process.cwd()));
  const source = await readFile(resolve(file), "utf8").catch(() => "");
  if ("findings" in loaded) return { file, source, findings: loaded.findings };
  return { file, source, findings: [], plugin: loaded.plugin, digest: loaded.digest };
}

/**
 * Holds plugin files, or packages, to the contract: loads each, which runs it, and prints `file:line: message` for whatever is wrong.
 * @throws {CommandFailure} when something is
 */
export async function validatePlugins(files: readonly string[], print: (text: string) => void): Promise<void> {
  const external = createExternal({ log: createLogger("warn"), env: {}, patience: COMMAND_PATIENCE_MS });
  const judged: Judged[] = [];
  try {
    for (const file of files.filter((name) => !isGenerated(name))) judged.push(await judge(file, external));
  } finally {
    await external.close();
  }
  if (judged.length === 0) throw new CommandFailure("There is no plugin among these files.");
  let count = 0;
  for (const one of judged) {
    const findings = [...one.findings, ...collisions(one, judged)].toSorted((a, b) => a.line - b.line);
    count += findings.length;
    for (const { line, message } of findings) print(`${one.file}:${line}: ${message}`);
    if (findings.length === 0 && one.plugin) print(summary(one));
  }
  if (count > 0)
    throw new CommandFailure(`${count} ${count === 1 ? "problem" : "problems"} in ${judged.length} plugin files.`);
}

function summary({ file, plugin, digest }: Judged): string {
  const { id = "", metrics = {}, jobs = {} } = plugin ?? {};
  const hash = digest === undefined ? "" : `, sha256 ${digest}`;
  return `ok      ${file}: ${id}, ${Object.keys(metrics).length} metrics, jobs ${Object.keys(jobs).join(", ")}${hash}`;
}
