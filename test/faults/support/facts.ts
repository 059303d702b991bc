import { readdirSync, readFileSync } from "node:fs";

function memoryMb(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024);
}

/** Memory a process has now, and had at most (MB). */
export const rssMb = (pid: number): number => memoryMb(pid, "VmRSS");
export const peakRssMb = (pid: number): number => memoryMb(pid, "VmHWM");

/** Open files and sockets of a process. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Whether this run wants the short form of a fault. */
export const isQuick = process.env["FAULTS_QUICK"] === "1";

/** A pseudo-random sequence in 0 … 1 from a seed, so that a fault can be had again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
