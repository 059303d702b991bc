import type { Readable } from "node:stream";

/** What is read of a plugin's output in a second (bytes); it waits with the rest, so that no flood costs gleaner its time. */
const BYTES_A_SECOND = 1024 * 1024;
const MAX_LINE = 1_000;

/** Reads what a process prints, line by line, no faster than it can be borne. Lines are cut at 1,000 characters. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let line = "";
  let read = 0;
  let since = performance.now();
  const end = () => {
    if (line.trim() !== "") onLine(line);
    line = "";
  };
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) end();
      line = (line + part).slice(0, MAX_LINE);
    }
    const now = performance.now();
    if (now - since > 1_000) [read, since] = [0, now];
    read += text.length;
    if (read < BYTES_A_SECOND) return;
    stream.pause();
    setTimeout(() => stream.resume(), 1_000 - (now - since)).unref();
  });
  stream.on("end", end).on("error", () => undefined);
}
