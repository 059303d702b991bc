import type { Run } from "../../../src/model/run.ts";
import type { Sample } from "../../../src/model/sample.ts";
import type { Batch, ConfiguredTarget } from "../../../src/model/target.ts";
import { pluginOf, targetOf } from "../../support/targets.ts";

/** Of a kit: how often each job runs (ms). */
const EVERY = { drones: 5_000, signals: 5_000, status: 30_000 } as const;
const SERIES = 9;
const BUDGET = 32 * 1_024 ** 2;

export interface Measured {
  /** CPU to keep one run (µs). */
  readonly cpu: number;
  /** Memory of all buffers (MB), and of one run that is kept (bytes). */
  readonly memory: number;
  readonly run: number;
  /** How far back the buffers of the jobs of every 5 s reach (minutes). */
  readonly reach: number;
}

type Keep = (batch: Batch) => void;

function memoryUsed(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const targets = (kits: number): ConfiguredTarget[] => {
  const plugin = pluginOf(async () => ({ samples: [] }));
  const jobs = Object.fromEntries(
    Object.entries(EVERY).map(([job, every]) => [job, { trigger: { every }, timeout: 1 }]),
  );
  return Array.from({ length: kits }, (_, i) => targetOf(plugin, { id: `kit-${i}`, jobs }));
};

/** Counts and fractions, with labels on a third of them, as kits bring them. */
const samples = (round: number): Sample[] =>
  Array.from({ length: SERIES }, (_, i) =>
    i % 3 === 0
      ? { metric: "kit_drones", value: round + i, labels: { track_type: `type ${i}` } }
      : { metric: `kit_metric_${i}`, value: Math.random() * 100 },
  );

function batchOf(target: ConfiguredTarget, job: string, at: number, round: number): Batch {
  const outcome = { status: "ok", collected: { samples: [] } } as const;
  const run: Run = {
    ...{ targetId: target.id, pluginId: target.plugin.id, job, outcome, attempts: 1, durationMs: 12.3 },
    ...{ startedAt: new Date(at - 12), finishedAt: new Date(at) },
  };
  return { target, run, samples: samples(round), metrics: {}, rows: [], documents: [], rejected: [] };
}

/** Rounds of all kits' jobs, every 5 s; what a round consists of is made before its time is taken. */
function measure(kits: number, rounds: number, keep: Keep): { readonly cpu: number; readonly memory: number } {
  const all = targets(kits);
  const before = memoryUsed();
  let [runs, cpu] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const jobs = round % 6 === 0 ? ["drones", "signals", "status"] : ["drones", "signals"];
    const batches = all.flatMap((target) => jobs.map((job) => batchOf(target, job, round * 5_000, round)));
    const begun = process.cpuUsage();
    for (const batch of batches) keep(batch);
    const { user, system } = process.cpuUsage(begun);
    runs += batches.length;
    cpu += user + system;
  }
  return { cpu: cpu / runs, memory: (memoryUsed() - before) / 1e6 };
}

/** gleaner's buffers, with the default bound. */
export async function ours(kits: number, rounds: number): Promise<Measured> {
  const { createBuffers } = await import("../../../src/buffer/buffers.ts");
  const buffers = createBuffers({ maxBytes: BUDGET, now: Date.now });
  const { cpu, memory } = measure(kits, rounds, buffers.accept);
  let kept = 0;
  for (let i = 0; i < kits; i++) for (const { size } of buffers.view(`kit-${i}`)) kept += size;
  const reach = ((buffers.view("kit-0")[0]?.capacity ?? 0) * EVERY.drones) / 60_000;
  return { cpu, memory, run: (memory * 1e6) / kept, reach };
}

/** The usual way: a list of records for each job, the oldest taken off, of the same length. */
export async function lists(kits: number, rounds: number, reach: number): Promise<Measured> {
  const kept = new Map<string, object[]>();
  const { cpu, memory } = measure(kits, rounds, ({ target, run, samples }) => {
    const key = `${target.id} ${run.job}`;
    const list = kept.get(key) ?? [];
    kept.set(key, list);
    const data = Object.fromEntries(
      samples.map(({ metric, labels, value }) => [labels ? `${metric}{${labels["track_type"]}}` : metric, value]),
    );
    list.push({ at: run.finishedAt, durationMs: run.durationMs, outcome: run.outcome.status, data });
    if (list.length > (reach * 60_000) / EVERY[run.job as keyof typeof EVERY]) list.shift();
  });
  const count = [...kept.values()].reduce((sum, list) => sum + list.length, 0);
  return { cpu, memory, run: (memory * 1e6) / count, reach };
}
