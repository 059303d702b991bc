import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCluster } from "../../store/postgres.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/folder.ts";
import { type Sim, startSim } from "../../support/sim.ts";
import { cpuOf, rssOf } from "./proc.ts";

/** What a kit shows: fresh observation times with every poll. */
const DRONES = 20;
const SIGNALS = 5;

/**
 * Starting thousands of targets, and the database's first rows, are not what is measured. Nor is how every target is polled
 * at once when it is new, and only then in its own place: its second poll comes half an interval to one and a half later.
 */
const WARM_UP_MS = 15_000;

/** Where a collector finds its kits, and where it puts what they tell. */
export interface Scene {
  readonly folder: TemporaryFolder;
  readonly sim: Sim;
  /** An empty database. */
  readonly url: string;
}

/** A collector that runs; leaving its scope kills it. */
export interface Collector extends AsyncDisposable {
  readonly pid: number;
  stop(): Promise<unknown>;
}

/** What a collector took, in cores and MB (the highest after the warm-up), and when the warm-up was over. */
export interface Taken {
  readonly since: Date;
  readonly cpu: number;
  readonly databaseCpu: number;
  readonly kitsCpu: number;
  readonly rss: number;
}

/** Lets a collector poll simulated kits into a PostgreSQL of its own for a while; `look` sees what became of it, after its stop. */
export async function collectFor<T>(
  { kits, seconds }: { readonly kits: number; readonly seconds: number },
  start: (scene: Scene) => Promise<Collector>,
  look: (scene: Scene, taken: Taken) => Promise<T>,
): Promise<T> {
  using folder = temporaryFolder();
  const cluster = await startCluster();
  try {
    const url = await cluster.createDatabase();
    const args = ["--drones", String(DRONES), "--signals", String(SIGNALS), "--aircraft", "0"];
    await using sim = await startSim(folder, { kits, args });
    const scene = { folder, sim, url };
    await using collector = await start(scene);
    await sleep(WARM_UP_MS);
    const since = new Date();
    const used = () => [cpuOf(collector.pid), postgresCpu(url), cpuOf(sim.pid)] as const;
    const before = used();
    let rss = 0;
    for (let second = 0; second < seconds; second++) {
      await sleep(1_000);
      rss = Math.max(rss, rssOf(collector.pid));
    }
    const [cpu = 0, databaseCpu = 0, kitsCpu = 0] = used().map((now, i) => (now - (before[i] ?? 0)) / seconds);
    await collector.stop();
    return await look(scene, { since, cpu, databaseCpu, kitsCpu, rss });
  } finally {
    await cluster.stop();
  }
}

/** CPU seconds so far of every process of the PostgreSQL server behind a URL of a socket. */
function postgresCpu(url: string): number {
  const folder = new URL(url).searchParams.get("host") ?? "";
  const postmaster = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n", 1)[0]);
  return cpuOf(postmaster, { children: true });
}
