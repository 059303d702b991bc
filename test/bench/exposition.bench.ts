import { Gauge, Registry } from "prom-client";
import { encode } from "../../src/expose/encode.ts";
import { createSnapshot } from "../../src/expose/snapshot.ts";
import type { Family, Point } from "../../src/expose/types.ts";
import {
  atLeast,
  atMost,
  type BenchOptions,
  figure,
  inTurn,
  type Line,
  line,
  longestStall,
  timed,
} from "./support/bench.ts";

const LABELS = ["kit", "sensor", "site"] as const;
const family: Family = { name: "bench_value", help: "A value.", type: "gauge" };

const labelsOf = (i: number) => ({
  kit: `kit-${String(i % 1_000).padStart(4, "0")}`,
  sensor: `sensor-${i}`,
  site: `site-${i % 7}`,
});

/** Our snapshot of n series, with the shares of them that change between two renders. */
function ours(n: number) {
  const snapshot = createSnapshot();
  const points: Point[] = Array.from({ length: n }, (_, i) => ({
    family,
    labels: labelsOf(i),
    value: Math.random() * 1e6,
  }));
  const change = (share: number) => {
    for (let i = 0; i < n * share; i++) points[i] = { ...(points[i] as Point), value: Math.random() * 1e6 };
    snapshot.replace("bench", "all", points);
  };
  change(1);
  return { change, render: (format: "text" | "openmetrics") => encode(snapshot.families(), format) };
}

function theirs(n: number) {
  const registry = new Registry();
  const gauge = new Gauge({ name: "bench_value", help: "A value.", labelNames: [...LABELS], registers: [registry] });
  const change = () => {
    for (let i = 0; i < n; i++) gauge.set(labelsOf(i), Math.random() * 1e6);
  };
  change();
  return { change, render: () => registry.metrics() };
}

/** Resident memory that making and rendering n series adds, in a process of its own. */
async function peakRss(who: "ours" | "theirs", n: number): Promise<number> {
  const { spawn } = await import("node:child_process");
  const child = spawn(process.execPath, ["--expose-gc", import.meta.filename, who, String(n)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  for await (const chunk of child.stdout) out += chunk;
  return Number(out);
}

/** Rendering n series, all values new and 90 % of them unchanged, beside prom-client. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const n of quick ? [1_000, 10_000, 100_000] : [1_000, 10_000, 100_000, 500_000]) {
    const [a, b] = [ours(n), theirs(n)];
    const repetitions = quick || n > 100_000 ? 3 : 7;
    const render = (share: number, format: "text" | "openmetrics") => async () => {
      a.change(share);
      return await timed(() => a.render(format));
    };
    const took = await inTurn(
      {
        all: render(1, "text"),
        openmetrics: render(1, "openmetrics"),
        tenth: render(0.1, "text"),
        promClient: async () => {
          b.change();
          return await timed(b.render);
        },
      },
      { repetitions },
    );
    const speed = (what: string, ms: number, bar?: number) =>
      line({
        ...{ bench: "exposition", what: `${what}, ${n} series`, unit: "renders/s", ours: 1_000 / ms },
        ...{ against: "prom-client", theirs: 1_000 / took.promClient },
        ...(bar !== undefined && n === 100_000 ? { bar: atLeast(bar) } : {}),
      });
    lines.push(
      speed("all values new", took.all, 7),
      speed("OpenMetrics, all values new", took.openmetrics),
      speed("90 % unchanged", took.tenth, 15),
    );
    if (n === 100_000) {
      a.change(1);
      lines.push(
        figure({
          bench: "exposition",
          what: `longest stall, ${n} series`,
          unit: "ms",
          ours: await longestStall(() => a.render("text")),
          bar: atMost(10, "figure"),
        }),
        line({
          ...{
            bench: "exposition",
            what: `peak RSS, ${n} series`,
            unit: "MB",
            against: "prom-client",
            bar: atMost(0.75),
          },
          ...{ ours: await peakRss("ours", n), theirs: await peakRss("theirs", n) },
        }),
      );
    }
  }
  return lines;
}

// Run as a process of its own: prints the peak of its memory.
const [who, count] = process.argv.slice(2);
if (import.meta.main && who && count) {
  const subject = who === "ours" ? ours(Number(count)) : theirs(Number(count));
  for (let i = 0; i < 5; i++) {
    subject.change(1);
    await subject.render("text");
  }
  console.log(process.resourceUsage().maxRSS / 1_024);
}
