import { closeSync, openSync, readSync } from "node:fs";

/** Four thousand kits take about one megabyte. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** A secret is a line. */
export const MAX_SECRET_BYTES = 64 * 1024;

/** Why a file could not be read: a sentence without its content. `missing` is true when there is no such file. */
export class UnreadableFile extends Error {
  readonly missing: boolean;

  constructor(message: string, missing = false) {
    super(message);
    this.name = "UnreadableFile";
    this.missing = missing;
  }
}

/**
 * Reads a UTF-8 text file of at most `limit` bytes; a longer one is never read to its end.
 * @throws {UnreadableFile} when it cannot be read, is longer, or is not UTF-8
 */
export function readText(path: string, limit: number): string {
  const bytes = readBytes(path, limit);
  if (bytes.length > limit) throw new UnreadableFile(`is longer than ${limit} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableFile("is not UTF-8 text");
  }
}

/** Up to one byte more than `limit`. Reads from pipes and devices too, which have no size to ask for. */
function readBytes(path: string, limit: number): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      const chunks: Buffer[] = [];
      let total = 0;
      while (total <= limit) {
        const chunk = Buffer.alloc(Math.min(64 * 1024, limit + 1 - total));
        const read = readSync(file, chunk);
        if (read === 0) break;
        chunks.push(chunk.subarray(0, read));
        total += read;
      }
      return Buffer.concat(chunks);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
  EISDIR: "is a folder",
};

function unreadable(error: unknown): UnreadableFile {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return new UnreadableFile(REASONS[code] ?? `cannot be read (${code || "unknown error"})`, code === "ENOENT");
}
