/** One comparison: ours beside a competitor's, taken in the same run, and the bar that their ratio has to reach. */
export interface Line {
  readonly bench: string;
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: string;
  readonly theirs: number;
  /** ours / theirs. */
  readonly ratio: number;
  readonly bar: Bar | null;
  readonly pass: boolean | null;
  /** Why there is no figure. */
  readonly note?: string;
}

/** What a ratio, or where there is no competitor the figure itself, has to be. */
export interface Bar {
  readonly of: "ratio" | "figure";
  readonly op: "<=" | ">=";
  readonly value: number;
}

/** What a bench is asked to do. */
export interface BenchOptions {
  /** Smaller sizes and fewer repetitions: a report, not a verdict. */
  readonly quick: boolean;
  /** `--kits`, `--seconds`: where a bench has them. */
  readonly kits?: number;
  readonly seconds?: number;
}

export const atMost = (value: number, of: Bar["of"] = "ratio"): Bar => ({ of, op: "<=", value });
export const atLeast = (value: number, of: Bar["of"] = "ratio"): Bar => ({ of, op: ">=", value });

const meets = (figure: number, { op, value }: Bar) => (op === "<=" ? figure <= value : figure >= value);

/** A line of a bench: the ratio, and whether it meets the bar. */
export function line(parts: Omit<Line, "ratio" | "pass" | "bar"> & { readonly bar?: Bar }): Line {
  const { bar = null, ...rest } = parts;
  const ratio = parts.ours / parts.theirs;
  return { ...rest, ratio, bar, pass: bar && meets(bar.of === "ratio" ? ratio : parts.ours, bar) };
}

/** A figure of ours that a bar is set for by itself. */
export function figure(parts: Pick<Line, "bench" | "what" | "unit" | "ours"> & { readonly bar?: Bar }): Line {
  return line({ ...parts, against: "", theirs: Number.NaN });
}

/** What could not be measured here, and why. */
export function notMeasured(parts: Pick<Line, "bench" | "what" | "unit">, note: string): Line {
  return { ...figure({ ...parts, ours: Number.NaN }), note };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Milliseconds of wall time that `work` takes. */
export async function timed(work: () => unknown): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Runs contenders in turn, A B C A B C …, after a warm-up of each, so that a machine that slows down slows all of them; the medians. */
export async function inTurn<K extends string>(
  contenders: Readonly<Record<K, () => Promise<number>>>,
  { warmup = 1, repetitions }: { readonly warmup?: number; readonly repetitions: number },
): Promise<Record<K, number>> {
  const names = Object.keys(contenders) as K[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let round = 0; round < warmup + repetitions; round++)
    for (const name of names) {
      const figure = await contenders[name]();
      if (round >= warmup) taken[name].push(figure);
    }
  return Object.fromEntries(names.map((name) => [name, median(taken[name])])) as Record<K, number>;
}

/** The longest that a timer had to wait beyond its time while `work` ran (ms): how long the event loop stood still. */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    handle = setImmediate(look);
  };
  let handle = setImmediate(look);
  await work();
  clearImmediate(handle);
  return Math.max(longest, performance.now() - last);
}
