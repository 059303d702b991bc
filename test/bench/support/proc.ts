import { globSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

function fields(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
}

/** Children of a process that are alive. */
function childrenOf(pid: number): number[] {
  return globSync("/proc/[0-9]*/stat").flatMap((file) => {
    const child = Number(file.split("/")[2]);
    try {
      return Number(fields(child)[1]) === pid ? [child] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

/** CPU seconds that a process has used; with `children`, also those of its children, the ended ones included. */
export function cpuOf(pid: number, { children = false } = {}): number {
  const stat = fields(pid);
  const own = (Number(stat[11]) + Number(stat[12])) / TICKS;
  if (!children) return own;
  const ended = (Number(stat[13]) + Number(stat[14])) / TICKS;
  return own + ended + childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), 0);
}

/** Resident memory of a process (MB). */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
