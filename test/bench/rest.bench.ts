import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { atMost, type BenchOptions, figure, type Line } from "./support/bench.ts";
import { cpuOf, rssOf } from "./support/proc.ts";

/** Closed sockets that are remembered for a minute: those of other benches are no part of a host at rest. */
const MOST_WAITING = 1_000;

async function socketsForgotten(): Promise<void> {
  const waiting = () => Number(/^TCP:.* tw (\d+)/m.exec(readFileSync("/proc/net/sockstat", "utf8"))?.[1] ?? 0);
  while (waiting() > MOST_WAITING) await sleep(1_000);
}

/** The default start, at rest: memory and CPU with the host plugins of every installation. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  using folder = temporaryFolder();
  const seconds = quick ? 15 : 60;
  await socketsForgotten();
  // The first start fills the compile cache; every later one finds it.
  await (await startGleaner({ cwd: folder.path })).stop();
  await using gleaner = await startGleaner({ cwd: folder.path });
  await sleep(5_000);
  const before = cpuOf(gleaner.pid);
  await sleep(seconds * 1_000);
  const cpu = (100 * (cpuOf(gleaner.pid) - before)) / seconds;
  return [
    figure({
      bench: "rest",
      what: "RSS of npm start",
      unit: "MB",
      ours: rssOf(gleaner.pid),
      bar: atMost(120, "figure"),
    }),
    figure({
      bench: "rest",
      what: `CPU over ${seconds} s`,
      unit: "% of a core",
      ours: cpu,
      bar: atMost(1, "figure"),
    }),
  ];
}
