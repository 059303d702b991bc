import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerEntry } from "../../../src/demo/ledger.ts";
import { eventually } from "../../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/folder.ts";
import { type Env, type Gleaner, startGleaner } from "../../support/process.ts";
import { readPostgres } from "../../support/rows.ts";
import { scrape } from "../../support/scrape.ts";
import { type Sim, type SimSettings, startSim } from "../../support/sim.ts";
import { accountsOf, assertBalanced } from "./accounts.ts";
import { peakRssMb } from "./facts.ts";
import type { Figures } from "./fault.ts";
import { weigh } from "./oracle.ts";

/** Kits that say something new at every poll, a gleaner that polls them, and the database it writes to. */
export interface Scene extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly sim: Sim;
  readonly gleaner: Gleaner;
  readonly url: string;
  /** Stops the kits, waits until nothing waits any more, stops gleaner, and compares what was sent with what is stored. */
  finish(gone?: ReadonlySet<string>): Promise<Figures>;
}

export interface SceneOptions {
  /** Where gleaner writes. */
  readonly url: string;
  /** Where the comparison reads at the end, when somewhere else. */
  readonly readUrl?: string;
  readonly sim?: Partial<SimSettings>;
  /** The section `store` of gleaner.yaml. */
  readonly store?: Readonly<Record<string, string>>;
  /** More of gleaner.yaml. */
  readonly yaml?: string;
  readonly env?: Env;
  /** How long the backlog may take in the end (ms). */
  readonly patience?: number;
}

export const POLL_MS = 500;
const KITS = 20;
/** Polls every half second, and no patience with a database: minutes of the matrix become seconds. */
const HASTE: Env = {
  POLL_INTERVAL: `${POLL_MS}ms`,
  STATUS_POLL_INTERVAL: "2s",
  REQUEST_TIMEOUT: "5s",
  MAX_RETRIES: "0",
  INITIAL_BACKOFF: "500ms",
  MAX_BACKOFF: "1s",
};

/** Starts kits and gleaner, and waits until the first rows were taken. */
export async function startScene(options: SceneOptions): Promise<Scene> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(temporaryFolder());
  const sim = parts.use(await startSim(folder, { kits: KITS, args: ["--seed", "3"], ...options.sim }));
  const settings = Object.entries({ batch_timeout: "250ms", ...options.store });
  const store = settings.map(([name, value]) => `  ${name}: ${value}\n`).join("");
  folder.write("gleaner.yaml", `store:\n${store}${options.yaml ?? ""}`);
  const env = { DATABASE_URL: options.url, KITS_CONFIG: sim.yaml, ...HASTE, ...options.env };
  const gleaner = parts.use(await startGleaner({ cwd: folder.path, env }));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).taken > 500, "it takes rows"));
  const moved = parts.move();
  return {
    ...{ folder, sim, gleaner, url: options.url },
    finish: (gone) => finish({ folder, sim, gleaner }, options, gone),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

async function finish(
  { sim, gleaner, folder }: Pick<Scene, "folder" | "sim" | "gleaner">,
  { url, readUrl = url, patience = 30_000 }: SceneOptions,
  gone?: ReadonlySet<string>,
): Promise<Figures> {
  const onTimePercent = onTime(await sim.ledger());
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  // What the plugins of this host collect goes on, so there is always something that waits; but nothing from before.
  await recovery(gleaner, patience);
  await eventually(async () => assertBalanced(await accountsOf(gleaner)), patience);
  const { dropped } = await accountsOf(gleaner);
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = await readPostgres(readUrl);
  const weighed = await weigh(await sim.ledger(), db, { spool: folder.at("data/spool.db"), ...(gone ? { gone } : {}) });
  return { ...weighed, dropped, peakRssMb: rss, onTimePercent };
}

/** Share of the polls there should have been, from the times of one drone of each kit as it was sent. */
export function onTime(ledger: readonly LedgerEntry[]): number {
  const byKit = Map.groupBy(
    ledger.filter(({ table }) => table === "drones"),
    ({ kit }) => kit,
  );
  let [expected, polled] = [0, 0];
  for (const entries of byKit.values()) {
    const id = entries[0]?.drone_id;
    const times = entries.filter(({ drone_id }) => drone_id === id).map(({ time }) => time);
    // A second answered by the same tick of the simulator is no observation of its own; the pace is coarser than it.
    expected += Math.round(((Math.max(...times) - Math.min(...times)) * 1_000) / POLL_MS);
    polled += new Set(times).size - 1;
  }
  return Math.round(Math.min(1, polled / expected) * 1_000) / 10;
}

/** Whether the database can be written, as gleaner's metrics say. */
export const isUp = async (gleaner: Gleaner): Promise<boolean> => (await scrape(gleaner)).get("gleaner_store_up") === 1;

export async function untilDown(gleaner: Gleaner, patience?: number): Promise<void> {
  await eventually(async () => assert.equal(await isUp(gleaner), false, "the outage is noticed"), patience);
}

/** Seconds from now until nothing waits that is older than now. */
export async function recovery(gleaner: Gleaner, patience = 60_000): Promise<number> {
  const [wall, begun] = [Date.now(), performance.now()];
  await eventually(async () => {
    const series = await scrape(gleaner);
    const oldest = (series.get("gleaner_spool_oldest_timestamp_seconds") ?? 0) * 1_000;
    assert.equal(series.get("gleaner_store_up"), 1, JSON.stringify(gleaner.log().slice(-3)));
    assert.ok(oldest === 0 || oldest > wall, "the backlog goes");
  }, patience);
  return Math.round((performance.now() - begun) / 100) / 10;
}

/** Asks gleaner all the time until it is told to stop; then says how long answers took, and which there were. */
export function watch(gleaner: Gleaner, every = 40) {
  const took: number[] = [];
  const ready = new Set<string>();
  let running = true;
  const asking = (async () => {
    while (running) {
      for (const path of ["/-/ready", "/-/healthy", "/metrics"]) {
        const begun = performance.now();
        const response = await gleaner.get(path);
        const text = await response.text();
        took.push(performance.now() - begun);
        if (path === "/-/ready") ready.add(`${response.status} ${text}`);
        if (path === "/-/healthy") assert.equal(response.status, 200);
      }
      await sleep(every);
    }
  })();
  return {
    async stop() {
      running = false;
      await asking;
      const sorted = took.toSorted((a, b) => a - b);
      return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY, ready: [...ready] };
    },
  };
}

/** How often the log has a line with this in its message. */
export const logged = (gleaner: Gleaner, message: RegExp): number =>
  gleaner.log().filter((line) => message.test(String(line["msg"]))).length;
