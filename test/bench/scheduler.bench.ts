import type { Measured } from "./subjects/scheduler.ts";
import { alone } from "./support/alone.ts";
import { atMost, type BenchOptions, type Line, line, median } from "./support/bench.ts";

const JOBS = 10_000;
const SUBJECTS = import.meta.resolve("./subjects/scheduler.ts");

/** Jobs at 5 s: CPU, lateness and memory, beside node-cron; each in a process of its own, in turn. */
export async function run({ quick, seconds = quick ? 5 : 20 }: BenchOptions): Promise<Line[]> {
  const [ours, theirs]: [Measured[], Measured[]] = [[], []];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    ours.push(await alone<Measured>(SUBJECTS, "ours", JOBS, seconds));
    theirs.push(await alone<Measured>(SUBJECTS, "nodeCron", JOBS, seconds));
  }
  const compared = (what: string, unit: string, key: keyof Measured, bar: number) =>
    line({
      ...{ bench: "scheduler", what: `${what}, ${JOBS} jobs at 5 s`, unit, against: "node-cron", bar: atMost(bar) },
      ours: median(ours.map((measured) => measured[key])),
      theirs: median(theirs.map((measured) => measured[key])),
    });
  return [
    compared("CPU", "cores", "cpu", 0.3),
    compared("p99 lateness", "ms", "late", 0.01),
    compared("memory a job", "B", "memory", 1 / 15),
  ];
}
