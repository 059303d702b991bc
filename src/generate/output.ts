import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that is generated: its path from the root of the repository, and its text. */
export interface Output {
  readonly path: string;
  readonly text: string;
}

/** The paths whose files are missing or differ from what is generated. */
export async function outOfDate(outputs: readonly Output[], root: string): Promise<string[]> {
  const stale = await Promise.all(
    outputs.map(async ({ path, text }) => {
      // A file that cannot be read has to be written, whatever the reason.
      const current = await readFile(join(root, path), "utf8").catch(() => undefined);
      return current === text ? [] : [path];
    }),
  );
  return stale.flat();
}

/** Writes the files that differ; leaves the others alone, with their times. Returns what was written. */
export async function writeOutputs(outputs: readonly Output[], root: string): Promise<string[]> {
  const stale = await outOfDate(outputs, root);
  for (const { path, text } of outputs.filter((output) => stale.includes(output.path))) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return stale;
}
