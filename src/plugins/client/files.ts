import { open } from "node:fs/promises";
import { CollectError } from "../../model/run.ts";

/** Passwords are a line, bundles of certificates some 200 kB. */
const MAX_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "may not be read by the user that gleaner runs as",
  EPERM: "may not be read by the user that gleaner runs as",
  EISDIR: "is a folder",
};

/**
 * Reads a file that a setting names; never more than 1 MiB of it.
 * @param setting its name, for the message
 * @throws {CollectError} bad_data that names the file and nothing of its content
 */
export async function readConfigured(path: string, setting: string): Promise<string> {
  const problem = (what: string, cause?: unknown) =>
    new CollectError("bad_data", `the file ${path}, named by ${setting}, ${what}`, { cause });
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1));
    if (bytesRead > MAX_BYTES) throw problem(`is longer than ${MAX_BYTES} bytes`);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (error) {
    if (error instanceof CollectError) throw error;
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw problem(REASONS[code] ?? `cannot be read (${code})`, error);
  }
}
