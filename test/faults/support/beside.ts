import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultText } from "../../../src/demo/faults.ts";
import { eventually } from "../../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/folder.ts";
import { type Env, type Gleaner, startGleaner } from "../../support/process.ts";
import { ms, type Reader, readSqlite } from "../../support/rows.ts";
import { kitState, type Series, scrape } from "../../support/scrape.ts";
import { type Sim, startSim } from "../../support/sim.ts";
import { accountsOf, assertBalanced, total } from "./accounts.ts";
import { openFiles, peakRssMb } from "./facts.ts";
import type { Figures } from "./fault.ts";
import { rig } from "./rig.ts";
import { kept } from "./served.ts";

/** A kit of a test's own beside the simulated ones. Without an id it tells its own. */
export interface OtherKit {
  readonly id?: string;
  readonly url: string;
  /** Path of its certificates. */
  readonly caFile?: string;
}

export interface BesideOptions {
  /** Simulated kits that misbehave, from the start; their ids are those of `bad`. */
  readonly faults?: readonly FaultText[];
  readonly kits?: readonly OtherKit[];
  readonly env?: Env;
  /** Period of the polls (ms). */
  readonly period?: number;
  /** Called before gleaner starts. */
  readonly prepare?: (folder: TemporaryFolder) => void;
}

/** One gleaner that polls kits in order and bad ones beside them. */
export interface Beside extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly sim: Sim;
  readonly gleaner: Gleaner;
  /** Ids of the simulated kits that misbehave. */
  readonly bad: readonly string[];
  /** Memory at its highest (MB) before this began. */
  readonly baseRssMb: number;
  series(): Promise<Series>;
  /** Goes on for so long (ms), asking for /-/healthy all the time; `meanwhile` is what happens during it. */
  watch(ms: number, meanwhile?: () => Promise<void>): Promise<{ readonly mostFiles: number }>;
  /** Stops gleaner, checks what must be true whatever a kit does, and lends the database. */
  finish(look?: (db: Reader) => Promise<void>): Promise<Figures>;
}

/** Kits in order; with two polled endpoints each, one late poll in eight seconds is less than one percent. */
const HEALTHY = 8;
/** Share of the polls of kits in order that must come within their period. */
const ON_TIME_PERCENT = 99;
/** What a bad kit may cost (MB). */
export const MEMORY_MB = 150;

export const SOON: Env = {
  STATUS_POLL_INTERVAL: "2s",
  REQUEST_TIMEOUT: "1500ms",
  INITIAL_BACKOFF: "300ms",
  MAX_BACKOFF: "2s",
};

const kitId = (n: number) => `kit-${String(n).padStart(3, "0")}`;

const yamlOf = ({ id, url, caFile }: OtherKit) =>
  [
    `  - api_url: ${JSON.stringify(url)}`,
    ...(id === undefined ? [] : [`    id: ${JSON.stringify(id)}`]),
    ...(caFile === undefined ? [] : [`    ca_file: ${JSON.stringify(caFile)}`]),
    "",
  ].join("\n");

/** Starts everything and waits until the kits in order are online. */
export async function startBeside(options: BesideOptions = {}): Promise<Beside> {
  await using parts = new AsyncDisposableStack();
  const { faults = [], kits = [], period = 1_000, env = {}, prepare } = options;
  const folder = parts.use(temporaryFolder());
  const bad = faults.map((_, n) => kitId(HEALTHY + n + 1));
  const byKit = Object.fromEntries(bad.map((id, n) => [id, faults[n] as FaultText]));
  const sim = parts.use(await startSim(folder, { kits: HEALTHY + faults.length, faults: byKit }));
  appendFileSync(sim.yaml, kits.map(yamlOf).join(""));
  prepare?.(folder);
  const place = rig(folder, sim, { env: { ...SOON, POLL_INTERVAL: `${period}ms`, ...env } });
  const gleaner = parts.use(await startGleaner(place));
  const healthy = Array.from({ length: HEALTHY }, (_, n) => kitId(n + 1));
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const kit of healthy) assert.equal(kitState(series, kit), "online", kit);
  });
  const span = { from: Date.now(), to: Date.now() };
  const moved = parts.move();
  return {
    ...{ folder, sim, gleaner, bad, baseRssMb: peakRssMb(gleaner.pid), series: () => scrape(gleaner) },
    async watch(during, meanwhile = async () => undefined) {
      const [watched] = await Promise.all([watchFor(gleaner, during), meanwhile()]);
      span.to = Date.now();
      return watched;
    },
    finish: (look) => finish({ folder, sim, gleaner }, { healthy, span, period }, look),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

async function watchFor(gleaner: Gleaner, during: number): Promise<{ mostFiles: number }> {
  const end = performance.now() + during;
  let mostFiles = 0;
  while (performance.now() < end) {
    assert.equal((await gleaner.get("/-/healthy")).status, 200);
    mostFiles = Math.max(mostFiles, openFiles(gleaner.pid));
    await sleep(100);
  }
  return { mostFiles };
}

interface Span {
  readonly healthy: readonly string[];
  /** While the bad kits were there (epoch ms). */
  readonly span: { readonly from: number; readonly to: number };
  readonly period: number;
}

async function finish(
  { folder, sim, gleaner }: Pick<Beside, "folder" | "sim" | "gleaner">,
  span: Span,
  look: (db: Reader) => Promise<void> = async () => undefined,
): Promise<Figures> {
  await eventually(async () => assertBalanced(await accountsOf(gleaner)));
  const { dropped } = await accountsOf(gleaner);
  const rejected = total(await scrape(gleaner), "gleaner_rows_rejected_total");
  const rss = peakRssMb(gleaner.pid);
  const end = await gleaner.stop();
  assert.equal(`${end.code} ${end.signal}`, "0 null", `it ends in order: ${JSON.stringify(gleaner.log().slice(-2))}`);
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const ledger = await sim.ledger();
  const { offered, stored, missing, duplicates } = await kept(ledger, only(db, "kit_id like 'kit-%'"));
  assert.deepEqual(missing.slice(0, 3), [], `${missing.length} rows of simulated kits are missing`);
  const names = `kit_id in (${span.healthy.map((kit) => `'${kit}'`).join(",")})`;
  const own = await kept(
    ledger.filter(({ kit }) => span.healthy.includes(kit)),
    only(db, names),
  );
  assert.equal(own.extra, 0, "kits in order have just the rows they sent");
  const onTimePercent = await onTime(db, span);
  await look(db);
  assert.ok(onTimePercent >= ON_TIME_PERCENT, `${onTimePercent} % of the polls of kits in order came in time`);
  const counts = { offered, stored, rejected, dropped, missing: missing.length, duplicates };
  return { ...counts, peakRssMb: rss, onTimePercent };
}

const only = (db: Reader, where: string): Pick<Reader, "query"> & Reader => ({
  query: (sql) => db.query(`${sql} where ${where}`),
  [Symbol.asyncDispose]: async () => undefined,
});

/** Share of the polls that came before the next was due, by when rows of something always new were received. */
async function onTime(db: Reader, { healthy, span: { from, to }, period }: Span): Promise<number> {
  let [due, missed] = [0, 0];
  for (const kit of healthy) {
    for (const table of ["drones", "signals"]) {
      const within = `kit_id = '${kit}' and received_at between ${from} and ${to}`;
      const rows = await db.query(`select distinct received_at from ${table} where ${within} order by received_at`);
      const times = [from, ...rows.map((row) => ms(row["received_at"])), to];
      due += Math.floor((to - from) / period);
      for (const [i, time] of times.slice(1).entries())
        missed += Math.max(0, Math.floor((time - (times[i] ?? time)) / period) - 1);
    }
  }
  return Math.round((1 - missed / due) * 1_000) / 10;
}

/** A counter of one kit's job. */
export const jobCount = (series: Series, kit: string, job: string, what: "runs" | "failures" | "skipped", only = /./) =>
  total(series, `gleaner_job_${what}_total`, new RegExp(`target="${kit}".*job="${job}".*${only.source}`));

/** How often a kit's drones failed for this reason. */
export const failures = (series: Series, kit: string, kind: string): number =>
  jobCount(series, kit, "drones", "failures", new RegExp(`kind="${kind}"`));
