import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startCluster, whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { startSim } from "../support/sim.ts";
import { atLeast, atMost, type BenchOptions, figure, type Line, percentile } from "./support/bench.ts";
import { cpuOf, rssOf } from "./support/proc.ts";

/** What a kit shows: fresh observation times with every poll. */
const DRONES = 20;
const SIGNALS = 5;

/** Time between two answers of a kit that brought something new, over all kits (s). */
async function gaps(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ gap: string }>(
    `select extract(epoch from received_at - lag(received_at) over (partition by kit_id order by received_at)) as gap
     from (select distinct kit_id, received_at from drones) polls`,
  );
  return rows.flatMap(({ gap }) => (gap === null ? [] : [Number(gap)]));
}

/** CPU seconds so far of every process of a PostgreSQL server in this folder. */
function postgresCpu(folder: string): number {
  const postmaster = Number(readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n", 1)[0]);
  return cpuOf(postmaster, { children: true });
}

/** The whole service: kits at 5 s into PostgreSQL, rows offered against rows stored, gaps, CPU and memory. */
export async function run({
  quick,
  kits = quick ? 200 : 2_000,
  seconds = quick ? 20 : 60,
}: BenchOptions): Promise<Line[]> {
  const reason = whyNoPostgres();
  if (reason) throw new Error(reason);
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
    await sleep(10_000);
    const [own, database] = [cpuOf(gleaner.pid), postgresCpu(socket)];
    await sleep(seconds * 1_000);
    const cpu = (cpuOf(gleaner.pid) - own) / seconds;
    const databaseCpu = (postgresCpu(socket) - database) / seconds;
    const rss = rssOf(gleaner.pid);
    await gleaner.stop();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const between = await gaps(pool);
    const { rows } = await pool.query<{ n: string }>(
      "select (select count(*) from drones) + (select count(*) from signals) as n",
    );
    await pool.end();
    const offered = (await sim.ledger()).filter((entry) => entry.table !== "system_health").length;
    const stored = Number(rows[0]?.n);
    const common = { bench: "collector" };
    return [
      figure({ ...common, what: `${kits} kits: rows offered`, unit: "rows", ours: offered }),
      figure({
        ...common,
        what: "rows stored, of those offered",
        unit: "share",
        ours: stored / offered,
        bar: atLeast(1, "figure"),
      }),
      figure({ ...common, what: "gap between polls, p50", unit: "s", ours: percentile(between, 0.5) }),
      figure({
        ...common,
        what: "gap between polls, p99",
        unit: "s",
        ours: percentile(between, 0.99),
        bar: atMost(5.5, "figure"),
      }),
      figure({ ...common, what: "CPU of gleaner", unit: "cores", ours: cpu, bar: atMost(0.7, "figure") }),
      figure({ ...common, what: "CPU of PostgreSQL", unit: "cores", ours: databaseCpu }),
      figure({ ...common, what: "RSS of gleaner", unit: "MB", ours: rss, bar: atMost(350, "figure") }),
    ];
  } finally {
    await cluster.stop();
  }
}
