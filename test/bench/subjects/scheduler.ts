import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../support/bench.ts";

const EVERY_MS = 5_000;
/** Every job has run once by then. */
const WARM_UP_MS = EVERY_MS + 1_000;

export interface Measured {
  /** CPU, as a share of one core. */
  readonly cpu: number;
  /** 99th percentile of how far from its time a job started (ms). */
  readonly late: number;
  /** Heap that the scheduler took for a job (bytes); the list of what to run was there before. */
  readonly memory: number;
}

/** Starts all jobs, which call `ran` with how late they are. */
type Start = (ran: (lateMs: number) => void) => void;

function heapUsed(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  return process.memoryUsage().heapUsed;
}

async function measure(start: Start, jobs: number, seconds: number): Promise<Measured> {
  const late: number[] = [];
  const before = heapUsed();
  start((ms) => late.push(ms));
  const memory = (heapUsed() - before) / jobs;
  await sleep(WARM_UP_MS);
  late.length = 0;
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await sleep(seconds * 1_000);
  const { user, system } = process.cpuUsage(cpu);
  const share = (user + system) / 1_000 / (performance.now() - begun);
  return { cpu: share, late: percentile(late.map(Math.abs), 0.99), memory };
}

/** gleaner's scheduler. */
export async function ours(jobs: number, seconds: number): Promise<Measured> {
  const { createScheduler } = await import("../../../src/schedule/scheduler.ts");
  const { phaseOf } = await import("../../../src/schedule/phase.ts");
  const targets = Array.from({ length: jobs }, (_, i) => ({ id: `kit-${i}`, trigger: { every: EVERY_MS } }));
  const phases = new Map(targets.map(({ id }) => [id, phaseOf(id, "drones", EVERY_MS)]));
  // A wall clock that goes exactly as the monotonic one does: then due times are known from outside.
  const started = Date.now() - performance.now();
  const wall = () => started + performance.now();
  const start: Start = (ran) => {
    const scheduler = createScheduler({
      run: async ({ targetId }) => {
        const since = (wall() - (phases.get(targetId) ?? 0)) % EVERY_MS;
        ran(since > EVERY_MS / 2 ? since - EVERY_MS : since);
      },
      hold: () => undefined,
      skipped: () => undefined,
      now: () => performance.now(),
      wall,
    });
    scheduler.add(targets.map(({ id, trigger }) => ({ targetId: id, job: "drones", trigger })));
  };
  return await measure(start, jobs, seconds);
}

/** node-cron can say "every fifth second" and nothing in between: all jobs of one second come at once. */
export async function nodeCron(jobs: number, seconds: number): Promise<Measured> {
  const { default: cron } = await import("node-cron");
  const period = EVERY_MS / 1_000;
  const expressions = Array.from({ length: period }, (_, second) => `${second}-59/${period} * * * * *`);
  const start: Start = (ran) => {
    const late = () => ran(Date.now() % 1_000);
    for (let i = 0; i < jobs; i++) cron.schedule(expressions[i % period] ?? "", late, { suppressMissedWarning: true });
  };
  return await measure(start, jobs, seconds);
}
