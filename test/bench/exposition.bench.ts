import type { ContenderName, Memory, Rendered } from "./subjects/exposition.ts";
import { alone } from "./support/alone.ts";
import { atLeast, atMost, type BenchOptions, figure, type Line, line, median } from "./support/bench.ts";

const SUBJECTS = import.meta.resolve("./subjects/exposition.ts");
const BENCH = { bench: "exposition" } as const;
/** The size that the bars are set for. */
const BAR_SIZE = 100_000;

/** Each contender in processes of its own, in turn; medians. */
async function renders(n: number, quick: boolean) {
  const rounds = n > BAR_SIZE || quick ? 3 : 5;
  const one = (name: ContenderName, format: "text" | "openmetrics", share: "all" | "tenth") => () =>
    alone<Rendered>(SUBJECTS, "render", name, format, { n, share, rounds });
  const runs = {
    all: one("ours", "text", "all"),
    tenth: one("ours", "text", "tenth"),
    openmetrics: one("ours", "openmetrics", "all"),
    promClient: one("promClient", "text", "all"),
    promClientOpenMetrics: one("promClient", "openmetrics", "all"),
    openTelemetry: one("openTelemetry", "text", "all"),
  };
  const names = Object.keys(runs) as (keyof typeof runs)[];
  const taken = new Map(names.map((name) => [name, [] as Rendered[]]));
  for (let repetition = 0; repetition < (n > BAR_SIZE || quick ? 1 : 3); repetition++)
    for (const name of names) taken.get(name)?.push(await runs[name]());
  const of = (name: keyof typeof runs, key: keyof Rendered) => median((taken.get(name) ?? []).map((it) => it[key]));
  return { ms: (name: keyof typeof runs) => of(name, "ms"), stall: (name: keyof typeof runs) => of(name, "stall") };
}

async function speed(n: number, quick: boolean): Promise<Line[]> {
  const { ms, stall } = await renders(n, quick);
  const compared = (what: string, [ours, against, theirs]: [number, string, number], bar?: number) =>
    line({
      ...BENCH,
      ...{ what: `${what}, ${n} series`, unit: "renders/s", ours: 1_000 / ours, against, theirs: 1_000 / theirs },
      ...(bar !== undefined && n === BAR_SIZE ? { bar: atLeast(bar) } : {}),
    });
  const lines = [
    compared("text, all values new", [ms("all"), "prom-client", ms("promClient")], 7),
    compared("text, 90 % unchanged", [ms("tenth"), "prom-client", ms("promClient")], 15),
    compared("text, all values new", [ms("all"), "OpenTelemetry", ms("openTelemetry")]),
    compared("OpenMetrics, all values new", [ms("openmetrics"), "prom-client", ms("promClientOpenMetrics")], 7),
  ];
  if (n !== BAR_SIZE) return lines;
  const what = `longest stall of the event loop, ${n} series`;
  const stalls = {
    ...BENCH,
    what,
    unit: "ms",
    ours: stall("all"),
    against: "prom-client",
    theirs: stall("promClient"),
  };
  return [...lines, line({ ...stalls, bar: atMost(10, "figure") })];
}

async function memory(quick: boolean): Promise<Line[]> {
  const repetitions = quick ? 1 : 3;
  const of = async (name: ContenderName) => {
    const taken: Memory[] = [];
    for (let i = 0; i < repetitions; i++) taken.push(await alone<Memory>(SUBJECTS, "memory", name, BAR_SIZE));
    return { peak: median(taken.map(({ peak }) => peak)), series: median(taken.map(({ series }) => series)) };
  };
  const [ours, promClient, openTelemetry] = [await of("ours"), await of("promClient"), await of("openTelemetry")];
  const labels = await alone<number>(SUBJECTS, "labelMap", BAR_SIZE);
  const peak = { ...BENCH, what: `peak RSS, ${BAR_SIZE} series`, unit: "MB", ours: ours.peak };
  const what = "held for a series";
  return [
    line({ ...peak, against: "prom-client", theirs: promClient.peak, bar: atMost(0.75) }),
    line({ ...peak, against: "OpenTelemetry", theirs: openTelemetry.peak }),
    line({ ...BENCH, what, unit: "B", ours: ours.series, against: "prom-client", theirs: promClient.series }),
    figure({
      ...{ ...BENCH, what: `${what} beside the label map (${Math.round(labels)} B)`, unit: "B" },
      ...{ ours: ours.series - labels, bar: atMost(150, "figure") },
    }),
  ];
}

/** Rendering series whose values are all new, or nine in ten unchanged, beside prom-client and OpenTelemetry's exporter. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const n of quick ? [BAR_SIZE] : [1_000, 10_000, BAR_SIZE, 500_000]) lines.push(...(await speed(n, quick)));
  return [...lines, ...(await memory(quick))];
}
