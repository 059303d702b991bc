import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";

/** More than any plugin has: this is read at every start. */
const MAX_FILES = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The files that a plugin is made of: the SHA-256 of each by its absolute path, and one for all of them. */
export interface Manifest {
  readonly files: Readonly<Record<string, string>>;
  /**
   * Of a single file what `sha256sum` prints. Of several the SHA-256 of the lines that `sha256sum` prints for them, with
   * paths from their folder, sorted by path.
   */
  readonly digest: string;
}

export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Reads every file of a plugin.
 * @param folder what paths are relative to
 * @param roots files, and folders with all that is in them but `node_modules` and what begins with a dot
 * @throws {Error} with a sentence, when they are too many or too large
 */
export async function manifestOf(folder: string, roots: readonly string[]): Promise<Manifest> {
  const paths = (await Promise.all(roots.map(filesIn))).flat().sort();
  if (paths.length > MAX_FILES) throw new Error(`it has ${paths.length} files; ${MAX_FILES} is the most`);
  const files: Record<string, string> = {};
  let total = 0;
  for (const path of paths) {
    const bytes = await readFile(path);
    total += bytes.length;
    if (total > MAX_BYTES) throw new Error(`its files have more than ${MAX_BYTES} bytes`);
    files[path] = sha256(bytes);
  }
  const [first, another] = Object.values(files);
  if (first === undefined) throw new Error("it has no files");
  const lines = Object.entries(files).map(([path, hash]) => `${hash}  ${relative(folder, path)}\n`);
  return { files, digest: another === undefined ? first : sha256(lines.join("")) };
}

async function filesIn(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const kept = entries.filter(({ name }) => name !== "node_modules" && !name.startsWith("."));
  const within = kept.map((entry) => {
    const inner = join(path, entry.name);
    // What a link leads to is none of the plugin's files, and cannot be imported.
    return entry.isDirectory() ? filesIn(inner) : entry.isFile() ? [inner] : [];
  });
  return (await Promise.all(within)).flat();
}
