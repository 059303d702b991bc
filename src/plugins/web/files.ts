import { open } from "node:fs/promises";
import { CollectError } from "../../model/run.ts";

/** A certificate bundle of a whole system has some 220 kB. */
const MAX_BYTES = 1024 * 1024;

/**
 * Reads a small text file that the configuration names, such as a password or certificates.
 * @param field what the configuration calls it, for the message; what is in the file is never in one
 * @throws {CollectError} bad_data when it cannot be read or is too large
 */
export async function readConfigured(field: string, path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
    if (bytesRead > MAX_BYTES)
      throw new CollectError("bad_data", `${field}: ${path} is larger than ${MAX_BYTES} bytes`);
    return buffer.toString("utf8", 0, bytesRead);
  } catch (cause) {
    if (cause instanceof CollectError) throw cause;
    const { code = "unreadable" } = cause as NodeJS.ErrnoException;
    throw new CollectError("bad_data", `${field}: ${path} cannot be read (${code})`, { cause });
  }
}
