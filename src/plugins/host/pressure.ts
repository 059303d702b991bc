import { readProc } from "./proc.ts";
import { one } from "./sample.ts";

const PRESSURES = ["cpu", "io", "memory"];

/** /proc/pressure/<resource>: `total` is in microseconds. The line `full` is missing for cpu on older kernels. */
export function parsePressure(resource: string, text: string) {
  const total = (line: string) => {
    const match = new RegExp(`^${line} .*total=(\\d+)`, "m").exec(text);
    return match ? Number(match[1]) / 1e6 : undefined;
  };
  return [
    ...one("pressure_waiting_seconds_total", total("some"), { resource }),
    ...one("pressure_stalled_seconds_total", total("full"), { resource }),
  ];
}

/** Pressure of every resource; none where the kernel is older than 4.20, built without it, or told not to track it. */
export const readPressure = (root: string) =>
  PRESSURES.flatMap((resource) => parsePressure(resource, readProc(root, "proc/pressure", resource)));
