import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SNAKE } from "../../contract/fault.ts";
import { canonicalPluginId } from "../../model/plugin.ts";
import { CommandFailure } from "../failure.ts";
import { caseFiles, pluginSource } from "./template.ts";

/** Longer ones leave no room in a metric's name, and none on a line. */
const MAX_ID = 40;

type Print = (text: string) => void;

function idOf(given: string): string {
  const id = canonicalPluginId(given);
  if (SNAKE.test(id) && id.length <= MAX_ID) return id;
  throw new CommandFailure(`${given}: expected an id such as weather_station, of at most ${MAX_ID} characters.`);
}

/**
 * Writes a new plugin and its first case into a working copy of gleaner: `src/plugins/<id>.ts` and
 * `test/plugins/<id>/cases/first/`. Nothing that is there is written over.
 * @throws {CommandFailure} when the id is none, or something is there already
 */
export async function newPlugin(cwd: string, given: string, print: Print): Promise<void> {
  const id = idOf(given);
  if (!existsSync(join(cwd, "src/plugins/registry.gen.ts")))
    throw new CommandFailure(
      "This is no working copy of gleaner: there is no src/plugins/ here; --external needs none.",
    );
  const folder = `test/plugins/${id}/cases/first`;
  const files = [
    [`src/plugins/${id}.ts`, pluginSource(id, "own")] as const,
    ...Object.entries(caseFiles(id)).map(([name, text]) => [`${folder}/${name}`, text] as const),
  ];
  await writeFiles(cwd, files, print);
  print("They are of JSON over HTTP, to be changed; docs/writing-plugins.md says what else there can be.");
  print("Next: npm run generate && node --test test/plugins/cases.test.ts 'test/contract/*.test.ts'");
}

/**
 * Writes a new plugin that gleaner.yaml names: `plugins/<id>.ts`.
 * @throws {CommandFailure} when the id is none, or something is there already
 */
export async function newExternalPlugin(cwd: string, given: string, print: Print): Promise<void> {
  const id = idOf(given);
  const file = `plugins/${id}.ts`;
  await writeFiles(cwd, [[file, pluginSource(id, "external")]], print);
  print("Next, in gleaner.yaml beside that folder:");
  print(
    `external_plugins:\n  - file: ./${file}\ntargets:\n  ${id}: { config: { url: http://192.0.2.50/status.json } }`,
  );
}

async function writeFiles(cwd: string, files: readonly (readonly [path: string, text: string])[], print: Print) {
  const taken = files.find(([path]) => existsSync(join(cwd, path)));
  if (taken) throw new CommandFailure(`${taken[0]} is there already.`);
  for (const [path, text] of files) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), text, { flag: "wx" });
    print(`wrote ${path}`);
  }
}
