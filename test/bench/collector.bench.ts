import pg from "pg";
import { whyNoPostgres } from "../store/postgres.ts";
import { startGleaner } from "../support/process.ts";
import { type Series, scrape } from "../support/scrape.ts";
import {
  atLeast,
  atMost,
  type Bar,
  type BenchOptions,
  figure,
  type Line,
  line,
  notMeasured,
  percentile,
} from "./support/bench.ts";
import { collectFor, type Scene, type Taken } from "./support/kits-into-postgres.ts";
import { startWarDragonAnalytics } from "./support/wardragon-analytics.ts";

const BENCH = { bench: "collector" } as const;

/** Time between two answers of a kit that brought something new, over all kits, from then on (s). */
async function gaps(pool: pg.Pool, since: Date): Promise<number[]> {
  const { rows } = await pool.query<{ gap: string }>(
    `select extract(epoch from received_at - lag(received_at) over (partition by kit_id order by received_at)) as gap
     from (select distinct kit_id, received_at from drones where received_at > $1) polls`,
    [since],
  );
  return rows.flatMap(({ gap }) => (gap === null ? [] : [Number(gap)]));
}

/** One fleet, measured. */
interface Measured extends Taken {
  /** Share of the last minute's due polls that began within 0.1 s, and how late the latest of them began (s). */
  readonly onTime: number;
  readonly latest: number;
  readonly offered: number;
  readonly stored: number;
  readonly gaps: readonly number[];
}

async function measure(kits: number, seconds: number): Promise<Measured> {
  let told: Series = new Map();
  const start = async ({ folder, sim, url }: Scene) => {
    const env = { KITS_CONFIG: sim.yaml, DATABASE_URL: url, LOG_LEVEL: "warn" };
    const gleaner = await startGleaner({ cwd: folder.path, env });
    const stop = async () => {
      // One that is overwhelmed may not answer; the bench goes on to say what became of the rows.
      told = await scrape(gleaner).catch(() => told);
      await gleaner.stop();
    };
    return { pid: gleaner.pid, stop, [Symbol.asyncDispose]: () => gleaner[Symbol.asyncDispose]() };
  };
  return await collectFor({ kits, seconds }, start, async ({ url, sim }, taken) => {
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const between = await gaps(pool, taken.since);
    const { rows } = await pool.query<{ n: string }>(
      "select (select count(*) from drones) + (select count(*) from signals) as n",
    );
    await pool.end();
    const offered = (await sim.ledger()).filter((entry) => entry.table !== "system_health").length;
    const onTime = told.get("gleaner_schedule_on_time_ratio") ?? Number.NaN;
    const latest = told.get("gleaner_schedule_lag_max_seconds") ?? Number.NaN;
    return { ...taken, offered, stored: Number(rows[0]?.n), gaps: between, onTime, latest };
  });
}

function lines(kits: number, measured: Measured): Line[] {
  const { offered, stored, gaps: between, onTime, latest, cpu, databaseCpu, kitsCpu, rss } = measured;
  const of = (what: string, unit: string, ours: number, bar?: Bar) =>
    figure({ ...BENCH, what: `${kits} kits: ${what}`, unit, ours, ...(bar ? { bar } : {}) });
  return [
    of("rows offered", "rows", offered),
    of("rows stored, of those offered", "share", stored / offered, atLeast(1, "figure")),
    of("gap between polls, p50", "s", percentile(between, 0.5)),
    of("gap between polls, p99", "s", percentile(between, 0.99), atMost(5.5, "figure")),
    of("polls that began within 0.1 s", "share", onTime, atLeast(0.99, "figure")),
    of("latest poll of the last minute", "s", latest),
    of("CPU of gleaner", "cores", cpu, atMost(0.7, "figure")),
    of("CPU of PostgreSQL", "cores", databaseCpu),
    of("CPU of the simulated kits", "cores", kitsCpu),
    of("RSS of gleaner", "MB", rss, atMost(350, "figure")),
  ];
}

/** How many kits the whole service is measured with: where it stops keeping up is the knee of the curve. */
const FLEETS = [100, 500, 1_000, 2_000];
/** With how many it is measured beside the collector that its users have. */
const SHARED_FLEET = 100;

/** Beside the Python collector of WarDragon Analytics, where there is one: it keeps up with a hundred kits. */
async function beside(ours: Measured, seconds: number): Promise<Line[]> {
  const against = "WarDragon Analytics";
  const what = `${SHARED_FLEET} kits: CPU`;
  const checkout = process.env["BENCH_WARDRAGON_ANALYTICS"];
  const unit = "cores";
  if (!checkout) return [notMeasured({ ...BENCH, what, unit }, "BENCH_WARDRAGON_ANALYTICS names no checkout")];
  const begin = (scene: Scene) => startWarDragonAnalytics(checkout, scene);
  const theirs = await collectFor({ kits: SHARED_FLEET, seconds }, begin, async (_, taken) => taken);
  const whole = ({ cpu, databaseCpu }: Taken) => cpu + databaseCpu;
  return [
    line({ ...BENCH, what, unit, ours: ours.cpu, against, theirs: theirs.cpu, bar: atMost(0.25) }),
    line({ ...BENCH, what: `${what} and PostgreSQL's`, unit, ours: whole(ours), against, theirs: whole(theirs) }),
  ];
}

/** The whole service: kits at 5 s into PostgreSQL, rows offered against rows stored, gaps, CPU and memory. */
export async function run({ quick, kits, seconds = quick ? 15 : 60 }: BenchOptions): Promise<Line[]> {
  const reason = whyNoPostgres();
  if (reason) throw new Error(reason);
  const all: Line[] = [];
  for (const fleet of kits ? [kits] : quick ? [200] : FLEETS) {
    const measured = await measure(fleet, seconds);
    all.push(...lines(fleet, measured));
    if (fleet === SHARED_FLEET) all.push(...(await beside(measured, seconds)));
  }
  return all;
}
