import { setImmediate as nextTurn } from "node:timers/promises";
import { allowedUnit, baseName, type ExposedFamily, escapeHelp, type Format } from "./format.ts";
import { growingBuffer } from "./growing-buffer.ts";

/** Lines taken over between two turns of the event loop: well under a millisecond, so that polls and other requests go on. */
const LINES_PER_TURN = 4_000;
/** A stretch copied in one go; a megabyte takes some 0.2 ms. */
const BYTES_PER_COPY = 1_048_576;

/**
 * Writes families, sorted by name, as one exposition in UTF-8.
 * Families without samples are left out. Yields to the event loop on the way.
 */
export async function encode(families: readonly ExposedFamily[], format: Format): Promise<Buffer> {
  const sorted = families.filter((family) => family.size > 0).sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts: Buffer[] = [];
  let lines = 0;
  for (const family of sorted) {
    parts.push(Buffer.from(header(family, format)), await family.lines());
    lines += family.size + 3;
    if (lines < LINES_PER_TURN) continue;
    lines = 0;
    await nextTurn();
  }
  if (format === "openmetrics") parts.push(Buffer.from("# EOF\n"));
  return concatenate(parts);
}

function header(family: ExposedFamily, format: Format): string {
  const { name, type } = family;
  const help = escapeHelp(family.help, format);
  if (format === "text") return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  const base = baseName(name, type);
  const unit = allowedUnit(family);
  return `# TYPE ${base} ${type}\n${unit === undefined ? "" : `# UNIT ${base} ${unit}\n`}# HELP ${base} ${help}\n`;
}

/** Buffer.concat in turns: 10 MB in one go would hold up the event loop for several milliseconds. */
async function concatenate(parts: readonly Buffer[]): Promise<Buffer> {
  const out = growingBuffer(parts.reduce((bytes, part) => bytes + part.length, 0));
  let copied = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += BYTES_PER_COPY) {
      const to = Math.min(at + BYTES_PER_COPY, part.length);
      out.copy(part, at, to);
      copied += to - at;
      if (copied < BYTES_PER_COPY) continue;
      copied = 0;
      await nextTurn();
    }
  }
  return out.bytes();
}
