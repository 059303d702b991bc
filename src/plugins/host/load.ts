import { numbers } from "./proc.ts";
import { one } from "./sample.ts";

/** Load over 1, 5 and 15 minutes; no sample for one that is missing. */
export function loadSamples([load1, load5, load15]: readonly number[]) {
  return [...one("load1", load1), ...one("load5", load5), ...one("load15", load15)];
}

/** /proc/loadavg: three averages, then things counted elsewhere. */
export const parseLoadavg = (text: string) => loadSamples(numbers(text));
