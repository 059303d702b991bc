import { globSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

function fields(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
}

/** What is in /proc/PID/stat behind the name: utime is the 12th, cutime the 14th (proc(5)). */
const secondsOf = (stat: readonly string[], first: number) => (Number(stat[first]) + Number(stat[first + 1])) / TICKS;

/** What /proc tells of the children of a process that are alive. */
function childrenOf(pid: number): string[][] {
  return globSync("/proc/[0-9]*/stat").flatMap((file) => {
    try {
      const stat = fields(Number(file.split("/")[2]));
      return Number(stat[1]) === pid ? [stat] : [];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

/** CPU seconds that a process has used; with `children`, also those of its children, the ended ones included. */
export function cpuOf(pid: number, { children = false } = {}): number {
  const stat = fields(pid);
  const own = secondsOf(stat, 11);
  if (!children) return own;
  return own + secondsOf(stat, 13) + childrenOf(pid).reduce((sum, child) => sum + secondsOf(child, 11), 0);
}

/** Resident memory of a process (MB). */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}
