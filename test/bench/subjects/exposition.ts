import { readFileSync } from "node:fs";
import type { Format } from "../../../src/expose/format.ts";
import { longestStall, median, timed } from "../support/bench.ts";
import { FAMILY, kitsOf, LABEL_NAMES, pointsOf, type Share } from "../support/fleet.ts";

/** Something that holds the current values and writes them as an exposition. */
interface Contender {
  /** Takes in what the fleet says now, through the public interface. */
  feed(n: number, round: number, share: Share): void;
  render(): Promise<string | Buffer>;
}

export type ContenderName = keyof typeof contenders;

const contenders = { ours, promClient, openTelemetry };

async function ours(format: Format): Promise<Contender> {
  const { createSnapshot } = await import("../../../src/expose/snapshot.ts");
  const { encode } = await import("../../../src/expose/encode.ts");
  const snapshot = createSnapshot();
  return {
    feed(n, round, share) {
      for (const { kit, readings } of kitsOf(n, round, share)) snapshot.replace(kit, "sensors", pointsOf(readings));
    },
    render: () => encode(snapshot.families(), format),
  };
}

async function promClient(format: Format): Promise<Contender> {
  const { Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  if (format === "openmetrics")
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as typeof Registry.PROMETHEUS_CONTENT_TYPE);
  const { name, help } = FAMILY;
  const gauge = new Gauge({ name, help, labelNames: [...LABEL_NAMES], registers: [registry] });
  return {
    feed(n, round, share) {
      for (const { readings } of kitsOf(n, round, share))
        for (const { labels, value } of readings) gauge.set(labels, value);
    },
    render: () => registry.metrics(),
  };
}

/** The exporter has one format. Without a view it folds what is beyond 2,000 series into one. */
async function openTelemetry(): Promise<Contender> {
  const { MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const { PrometheusExporter, PrometheusSerializer } = await import("@opentelemetry/exporter-prometheus");
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer();
  const views = [{ instrumentName: "*", aggregationCardinalityLimit: 1e9 }];
  const provider = new MeterProvider({ readers: [exporter], views });
  const gauge = provider.getMeter("bench").createGauge(FAMILY.name, { description: FAMILY.help });
  return {
    feed(n, round, share) {
      for (const { readings } of kitsOf(n, round, share))
        for (const { labels, value } of readings) gauge.record(value, labels);
    },
    render: async () => serializer.serialize((await exporter.collect()).resourceMetrics),
  };
}

const linesOf = (body: string | Buffer): number => body.toString().match(/^bench_value\{/gm)?.length ?? 0;

/** A process that renders for months has its code compiled: so many lines come before what is measured, in two rounds at least. */
const WARM_UP_LINES = 600_000;

export interface Rendered {
  /** Median time of a rendering (ms). */
  readonly ms: number;
  /** The longest that the event loop stood still during one, the median of those (ms). */
  readonly stall: number;
}

/** How long it takes to render n series after each round of new values. */
export async function render(
  name: ContenderName,
  format: Format,
  { n, share, rounds }: { n: number; share: Share; rounds: number },
): Promise<Rendered> {
  const contender = await contenders[name](format);
  const [took, stalls]: [number[], number[]] = [[], []];
  const warmUp = Math.max(2, Math.ceil(WARM_UP_LINES / n));
  for (let round = 0; round < warmUp + rounds; round++) {
    contender.feed(n, 2 * round, share);
    const ms = await timed(contender.render);
    contender.feed(n, 2 * round + 1, share);
    const stall = await longestStall(contender.render);
    if (round < warmUp) continue;
    took.push(ms);
    stalls.push(stall);
  }
  const lines = linesOf(await contender.render());
  if (lines !== n) throw new Error(`${name} rendered ${lines} of ${n} series`);
  return { ms: median(took), stall: median(stalls) };
}

export interface Memory {
  /** The most that was ever resident (MB), everything included. */
  readonly peak: number;
  /** What is held for a series (bytes) once all garbage is gone. */
  readonly series: number;
}

const ROUNDS = 5;

/** The memory of a process that takes in n series and renders them, five times over. */
export async function memory(name: ContenderName, n: number): Promise<Memory> {
  const contender = await contenders[name]("text");
  const before = held();
  await feedAndRender(contender, n);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1_024;
  const series = (held() - before) / n;
  if (linesOf(await contender.render()) !== n) throw new Error("not all series are there");
  return { peak, series };
}

/** A function of its own, so that the last exposition is not held any more. */
async function feedAndRender(contender: Contender, n: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    contender.feed(n, round, "all");
    await contender.render();
  }
}

/** Bytes a series that a map from labels as text to one and the same object takes: what any registry has to have. */
export async function labelMap(n: number): Promise<number> {
  const { keyOf } = await import("../../../src/expose/key.ts");
  const before = held();
  const map = new Map<string, object>();
  const names: string[] = [];
  for (const { readings } of kitsOf(n, 0, "all"))
    for (const { labels } of readings) map.set(keyOf(names, labels) ?? "", names);
  const bytes = (held() - before) / n;
  if (map.size !== n) throw new Error("labels are not unique");
  return bytes;
}

function held(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
