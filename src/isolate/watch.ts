import { readFile } from "node:fs/promises";

/** Resident memory of a process (bytes), undefined where /proc has none or the process is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Counts what comes within a second, and says when it is too much. */
export function createMeter(limits: { readonly messages: number; readonly bytes: number }, now: () => number) {
  let [since, messages, bytes] = [now(), 0, 0];
  return {
    /** @returns whether it may go on */
    add(count: number, size: number): boolean {
      const time = now();
      if (time - since > 1_000) [since, messages, bytes] = [time, 0, 0];
      messages += count;
      bytes += size;
      return messages <= limits.messages && bytes <= limits.bytes;
    },
  };
}
