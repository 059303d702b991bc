import cron from "node-cron";
import { createScheduler } from "../../src/schedule/scheduler.ts";
import { atMost, type BenchOptions, type Line, line, percentile } from "./support/bench.ts";

const EVERY_S = 5;

interface Measured {
  /** CPU share of one core. */
  readonly cpu: number;
  /** Lateness against the due time (ms). */
  readonly drift: number;
  /** Heap a job (KB). */
  readonly memory: number;
}

async function during(
  seconds: number,
  start: (ran: (late: number) => void) => () => void | Promise<void>,
  jobs: number,
): Promise<Measured> {
  global.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const late: number[] = [];
  const stop = start((ms) => late.push(ms));
  global.gc?.();
  const memory = (process.memoryUsage().heapUsed - heap) / 1_024 / jobs;
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  late.length = 0;
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const used = process.cpuUsage(cpu);
  const share = (used.user + used.system) / 1_000 / (performance.now() - begun);
  await stop();
  return { cpu: share, drift: percentile(late, 0.99), memory };
}

function ours(jobs: number) {
  return (ran: (late: number) => void) => {
    const scheduler = createScheduler({
      run: async () => undefined,
      hold: () => undefined,
      skipped: () => undefined,
      now: () => performance.now(),
      wall: Date.now,
      lag: ran,
    });
    scheduler.add(
      Array.from({ length: jobs }, (_, i) => ({
        targetId: `kit-${i}`,
        job: "drones",
        trigger: { every: EVERY_S * 1_000 },
      })),
    );
    return () => scheduler.stop();
  };
}

/** node-cron can say "every fifth second" and nothing in between: all jobs of one second come at once. */
function nodeCron(jobs: number) {
  return (ran: (late: number) => void) => {
    const tasks = Array.from({ length: jobs }, (_, i) =>
      cron.schedule(`${i % EVERY_S}-59/${EVERY_S} * * * * *`, () => ran(Date.now() % 1_000)),
    );
    return () => void tasks.forEach((task) => void task.destroy());
  };
}

/** 10,000 jobs at 5 s: CPU, lateness and memory, beside node-cron. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const jobs = quick ? 2_000 : 10_000;
  const seconds = quick ? 10 : 30;
  const a = await during(seconds, ours(jobs), jobs);
  const b = await during(seconds, nodeCron(jobs), jobs);
  const common = { bench: "scheduler", against: "node-cron" };
  return [
    line({
      ...common,
      what: `CPU, ${jobs} jobs at ${EVERY_S} s`,
      unit: "cores",
      ours: a.cpu,
      theirs: b.cpu,
      bar: atMost(0.3),
    }),
    line({ ...common, what: "p99 lateness", unit: "ms", ours: a.drift, theirs: b.drift, bar: atMost(0.01) }),
    line({ ...common, what: "memory a job", unit: "KB", ours: a.memory, theirs: b.memory, bar: atMost(1 / 15) }),
  ];
}
