import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { startSim } from "../support/sim.ts";
import { atLeast, atMost, type Bar, type BenchOptions, figure, type Line, percentile } from "./support/bench.ts";
import { cpuOf, rssOf } from "./support/proc.ts";

/** What a kit shows: fresh observation times with every poll. */
const DRONES = 20;
const SIGNALS = 5;

/** Time between two answers of a kit that brought something new, over all kits, from then on (s). */
async function gaps(pool: pg.Pool, since: Date): Promise<number[]> {
  const { rows } = await pool.query<{ gap: string }>(
    `select extract(epoch from received_at - lag(received_at) over (partition by kit_id order by received_at)) as gap
     from (select distinct kit_id, received_at from drones where received_at > $1) polls`,
    [since],
  );
  return rows.flatMap(({ gap }) => (gap === null ? [] : [Number(gap)]));
}

/** CPU seconds so far of every process of a PostgreSQL server in this folder. */
function postgresCpu(folder: string): number {
  const postmaster = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n", 1)[0]);
  return cpuOf(postmaster, { children: true });
}

/** One fleet, measured. */
interface Measured {
  readonly offered: number;
  readonly stored: number;
  readonly gaps: readonly number[];
  /** Cores. */
  readonly cpu: number;
  readonly databaseCpu: number;
  readonly kitsCpu: number;
  /** MB, the highest after the warm-up. */
  readonly rss: number;
}

/**
 * Starting thousands of targets, and the database's first rows, are not what is measured. Nor is how every target is polled
 * at once when it is new, and only then in its own place: its second poll comes half an interval to one and a half later.
 */
const WARM_UP_MS = 15_000;

async function measure(kits: number, seconds: number): Promise<Measured> {
  using folder = temporaryFolder();
  const cluster = await startCluster();
  try {
    const url = await cluster.createDatabase();
    const socket = new URL(url).searchParams.get("host") ?? "";
    const args = ["--drones", String(DRONES), "--signals", String(SIGNALS), "--aircraft", "0"];
    await using sim = await startSim(folder, { kits, args });
    const gleaner = await startGleaner({
      cwd: folder.path,
      env: { KITS_CONFIG: sim.yaml, DATABASE_URL: url, LOG_LEVEL: "warn" },
    });
    await sleep(WARM_UP_MS);
    const since = new Date();
    const used = () => [cpuOf(gleaner.pid), postgresCpu(socket), cpuOf(sim.pid)] as const;
    const before = used();
    let rss = 0;
    for (let second = 0; second < seconds; second++) {
      await sleep(1_000);
      rss = Math.max(rss, rssOf(gleaner.pid));
    }
    const [cpu = 0, databaseCpu = 0, kitsCpu = 0] = used().map((now, i) => (now - (before[i] ?? 0)) / seconds);
    await gleaner.stop();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const between = await gaps(pool, since);
    const { rows } = await pool.query<{ n: string }>(
      "select (select count(*) from drones) + (select count(*) from signals) as n",
    );
    await pool.end();
    const offered = (await sim.ledger()).filter((entry) => entry.table !== "system_health").length;
    return { offered, stored: Number(rows[0]?.n), gaps: between, cpu, databaseCpu, kitsCpu, rss };
  } finally {
    await cluster.stop();
  }
}

function lines(kits: number, { offered, stored, gaps: between, cpu, databaseCpu, kitsCpu, rss }: Measured): Line[] {
  const of = (what: string, unit: string, ours: number, bar?: Bar) =>
    figure({ bench: "collector", what: `${kits} kits: ${what}`, unit, ours, ...(bar ? { bar } : {}) });
  return [
    of("rows offered", "rows", offered),
    of("rows stored, of those offered", "share", stored / offered, atLeast(1, "figure")),
    of("gap between polls, p50", "s", percentile(between, 0.5)),
    of("gap between polls, p99", "s", percentile(between, 0.99), atMost(5.5, "figure")),
    of("CPU of gleaner", "cores", cpu, atMost(0.7, "figure")),
    of("CPU of PostgreSQL", "cores", databaseCpu),
    of("CPU of the simulated kits", "cores", kitsCpu),
    of("RSS of gleaner", "MB", rss, atMost(350, "figure")),
  ];
}

/** How many kits the whole service is measured with: where it stops keeping up is the knee of the curve. */
const FLEETS = [100, 500, 1_000, 2_000];

/** The whole service: kits at 5 s into PostgreSQL, rows offered against rows stored, gaps, CPU and memory. */
export async function run({ quick, kits, seconds = quick ? 15 : 60 }: BenchOptions): Promise<Line[]> {
  const reason = whyNoPostgres();
  if (reason) throw new Error(reason);
  const all: Line[] = [];
  for (const fleet of kits ? [kits] : quick ? [200] : FLEETS) all.push(...lines(fleet, await measure(fleet, seconds)));
  return all;
}
