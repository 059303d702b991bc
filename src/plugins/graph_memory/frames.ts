/** An event of a stream, as the server sent it. */
export interface Frame {
  readonly event: string;
  readonly data: string;
}

/** Characters of a frame or a document; the server's own have some 500. */
export const MAX_FRAME = 64 * 1_024;

/**
 * Takes events out of the text of an event stream (WHATWG HTML, 9.2.6); comments, ids and retry times are left aside.
 * @returns the whole events, and the rest that waits for more text
 */
export function takeFrames(text: string): { readonly frames: readonly Frame[]; readonly rest: string } {
  // A carriage return at the very end may be half of a line's end.
  const held = text.endsWith("\r") ? 1 : 0;
  const blocks = text
    .slice(0, text.length - held)
    .replace(/\r\n?/g, "\n")
    .split("\n\n");
  const rest = (blocks.pop() ?? "") + "\r".repeat(held);
  return { frames: blocks.flatMap((block) => frameOf(block) ?? []), rest };
}

function frameOf(block: string): Frame | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^(event|data)(?::\x20?(.*))?$/s.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : unwrapped({ event, data: data.join("\n") });
}

/**
 * GraphMemory-IDE hands frames that it wrote itself to a library that frames them once more, so that each of their lines
 * arrives as a line of data.
 */
function unwrapped(frame: Frame): Frame {
  return /^(event|id|data): /.test(frame.data) ? (frameOf(frame.data.trimEnd()) ?? frame) : frame;
}
