import type { Measured } from "./subjects/buffers.ts";
import { alone } from "./support/alone.ts";
import { atMost, type BenchOptions, figure, type Line, line } from "./support/bench.ts";

const SUBJECTS = import.meta.resolve("./subjects/buffers.ts");
/** Rounds of 5 s: the buffers are full, and have been turned over. */
const ROUNDS = 200;

/** The buffers of a large fleet: memory and CPU, beside lists of records that hold as many runs. */
export async function run({ quick, kits = quick ? 500 : 2_000 }: BenchOptions): Promise<Line[]> {
  const ours = await alone<Measured>(SUBJECTS, "ours", kits, ROUNDS);
  const theirs = await alone<Measured>(SUBJECTS, "lists", kits, ROUNDS, ours.reach);
  const what = `${kits} kits, 3 jobs, 9 series`;
  const compared = (name: string, unit: string, key: "cpu" | "run", bar: number) =>
    line({
      ...{ bench: "buffers", what: `${name}, ${what}`, unit, against: "lists of records", bar: atMost(bar) },
      ...{ ours: ours[key], theirs: theirs[key] },
    });
  return [
    compared("memory of a run", "B", "run", 0.25),
    compared("CPU to keep a run", "µs", "cpu", 1),
    figure({ bench: "buffers", what: `memory, ${what}`, unit: "MB", ours: ours.memory, bar: atMost(33.6, "figure") }),
    figure({ bench: "buffers", what: `reach, ${what}`, unit: "minutes", ours: ours.reach }),
  ];
}
