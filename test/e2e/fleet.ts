import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { FaultText } from "../../src/demo/faults.ts";
import type { LedgerEntry } from "../../src/demo/ledger.ts";
import { eventually } from "../support/eventually.ts";
import type { TemporaryFolder } from "../support/folder.ts";
import { type Env, type Gleaner, startGleaner } from "../support/process.ts";
import { type Fields, ms, type Reader } from "../support/rows.ts";
import { having, kitState, type Series, scrape } from "../support/scrape.ts";
import { type Sim, startSim } from "../support/sim.ts";

/** Ten kits, each with its own trouble, and the state it must be shown in. */
const KITS: Readonly<Record<string, readonly [fault: FaultText, state: string]>> = {
  "kit-001": ["healthy", "online"],
  "kit-002": ["healthy", "online"],
  "kit-003": ["slow:300", "online"],
  "kit-004": ["http_503", "error"],
  "kit-005": ["garbage", "error"],
  "kit-006": ["hung", "offline"],
  "kit-007": ["nan", "online"],
  "kit-008": ["no_signals", "online"],
  "kit-009": ["booting", "online"],
  "kit-010": ["refused", "offline"],
};
const NEVER_SEEN = ["kit-004", "kit-005", "kit-006", "kit-010"];
const INTERVAL_MS = 250;
/** Long enough that no busy machine makes a kit miss it: an answer that comes too late is a row that was sent in vain. */
const TIMEOUT_MS = 3_000;

/** Polling as fast as a test wants it. */
export const HASTE: Env = {
  POLL_INTERVAL: `${INTERVAL_MS}ms`,
  STATUS_POLL_INTERVAL: "400ms",
  REQUEST_TIMEOUT: `${TIMEOUT_MS}ms`,
  MAX_RETRIES: "0",
  INITIAL_BACKOFF: "100ms",
  MAX_BACKOFF: "500ms",
};

/** Series about a kit itself: there whatever its state. All others with its label are its data. */
const ABOUT_KIT = /^gleaner_kit_(up|state|info|identity_changes_total|backoff_seconds|last_seen_timestamp_seconds)\{/;
export const dataSeries = (series: Series, kit: string): string[] =>
  [...having(series, "kit", kit).keys()].filter((id) => !ABOUT_KIT.test(id));
export const stateSeries = (series: Series, kit: string): string[] =>
  [...having(series, "kit", kit).keys()].filter((id) => ABOUT_KIT.test(id));

/** Waits until healthy kits are online and each of their endpoints has brought its data; returns the series. */
export function online(gleaner: Gleaner, ...kits: readonly string[]): Promise<Series> {
  return eventually(async () => {
    const series = await scrape(gleaner);
    for (const kit of kits) {
      assert.equal(kitState(series, kit), "online", kit);
      for (const family of ["gleaner_kit_drones", "gleaner_kit_signals", "gleaner_kit_cpu_usage_ratio"])
        assert.ok(
          dataSeries(series, kit).some((id) => id.startsWith(`${family}{`)),
          `${kit} has no ${family}`,
        );
    }
    return series;
  });
}

/** An engine to run the fleet on: where gleaner writes, and how the test reads. */
export interface Database {
  readonly env: Env;
  read(): Promise<Reader>;
}

/** Polls the ten kits for a few seconds and checks everything that can be seen of them, from outside. */
export async function checkFleet(t: TestContext, folder: TemporaryFolder, database: Database): Promise<void> {
  const faults = Object.fromEntries(Object.entries(KITS).map(([kit, [fault]]) => [kit, fault]));
  await using sim = await startSim(folder, {
    ...{ kits: 10, faults },
    args: ["--drones", "5", "--aircraft", "2", "--signals", "3"],
  });
  await using gleaner = await startGleaner({
    cwd: folder.path,
    env: { ...HASTE, ...database.env, KITS_CONFIG: sim.yaml },
  });
  await t.test("every kit is shown in its state", () => checkStates(gleaner));
  await t.test("a kit shows the data it has, and only that", () => checkData(gleaner));
  await t.test("an offline kit's data is withdrawn, its state stays, and it comes back", () =>
    checkWithdrawal(gleaner, sim),
  );
  await t.test("nothing that names a drone, a signal or a kit's serial is a label", () => checkLabels(gleaner, sim));
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });

  await using db = await database.read();
  await t.test("stored rows are served rows, one by one", async () => checkRows(await sim.ledger(), db));
  await t.test("bad kits delay no other", () => checkPace(db));
  await t.test("kits, plugin_status, plugin_executions and health_events are true", () => checkRecords(sim, db));
}

async function checkStates(gleaner: Gleaner): Promise<void> {
  await eventually(async () => {
    const series = await scrape(gleaner);
    const shown = Object.keys(KITS).map((kit) => [kit, kitState(series, kit)]);
    assert.deepEqual(
      shown,
      Object.entries(KITS).map(([kit, [, state]]) => [kit, state]),
    );
  });
  const series = await scrape(gleaner);
  for (const [kit, [, state]] of Object.entries(KITS)) {
    assert.equal(series.get(`gleaner_kit_up{kit="${kit}"}`), state === "online" ? 1 : 0, kit);
    const isSeen = series.has(`gleaner_kit_last_seen_timestamp_seconds{kit="${kit}"}`);
    assert.equal(isSeen, !NEVER_SEEN.includes(kit), `${kit}: only a success is a sighting`);
  }
}

async function checkData(gleaner: Gleaner): Promise<void> {
  await online(gleaner, "kit-001", "kit-002", "kit-003", "kit-007");
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const kit of ["kit-001", "kit-002", "kit-003", "kit-007", "kit-008", "kit-009"]) {
      assert.equal(series.get(`gleaner_kit_drones{kit="${kit}",track_type="drone"}`), 5, kit);
      assert.equal(series.get(`gleaner_kit_drones{kit="${kit}",track_type="aircraft"}`), 2, kit);
    }
    for (const kit of ["kit-001", "kit-003", "kit-008"])
      assert.ok((series.get(`gleaner_kit_cpu_usage_ratio{kit="${kit}"}`) ?? 2) <= 1, kit);
  });
  const series = await scrape(gleaner);
  const has = (kit: string, family: string) => dataSeries(series, kit).some((id) => id.startsWith(`${family}{`));
  assert.ok(!has("kit-008", "gleaner_kit_signals"), "a kit without /signals has no signals, not none");
  assert.ok(!has("kit-009", "gleaner_kit_cpu_usage_ratio"), "a kit that boots tells nothing of itself yet");
  for (const kit of NEVER_SEEN) assert.deepEqual(dataSeries(series, kit), [], kit);
  assert.ok((series.get('gleaner_rows_rejected_total{reason="not_a_number"}') ?? 0) > 0, "kit-007's NaN is counted");
  const failures = (kit: string, kind: string) =>
    series.get(`gleaner_job_failures_total{target="${kit}",plugin="dragonsync",job="drones",kind="${kind}"}`) ?? 0;
  assert.ok(failures("kit-004", "http_status") > 0);
  assert.ok(failures("kit-005", "bad_data") > 0);
  assert.ok(failures("kit-006", "timeout") > 0);
  assert.ok(failures("kit-010", "unreachable") > 0);
}

async function checkWithdrawal(gleaner: Gleaner, sim: Sim): Promise<void> {
  const before = await scrape(gleaner);
  await sim.setFault("kit-002", "refused");
  const off = await eventually(async () => {
    const series = await scrape(gleaner);
    assert.equal(kitState(series, "kit-002"), "offline");
    return series;
  });
  assert.deepEqual(dataSeries(off, "kit-002"), []);
  assert.deepEqual(stateSeries(off, "kit-002"), stateSeries(before, "kit-002"));
  assert.deepEqual(dataSeries(off, "kit-001"), dataSeries(before, "kit-001"), "another kit keeps its series");
  const seen = 'gleaner_kit_last_seen_timestamp_seconds{kit="kit-002"}';
  const failed = 'gleaner_job_failures_total{target="kit-002",plugin="dragonsync",job="drones",kind="unreachable"}';
  const later = await eventually(async () => {
    const series = await scrape(gleaner);
    assert.ok((series.get(failed) ?? 0) >= 3);
    return series;
  });
  assert.equal(later.get(seen), off.get(seen), "failures do not move the last sighting");
  assert.ok((later.get('gleaner_kit_backoff_seconds{kit="kit-002"}') ?? 0) > 0);
  await sim.setFault("kit-002", "healthy");
  await eventually(async () => {
    const series = await scrape(gleaner);
    assert.equal(kitState(series, "kit-002"), "online");
    assert.deepEqual(dataSeries(series, "kit-002").toSorted(), dataSeries(before, "kit-002").toSorted());
    assert.ok((series.get(seen) ?? 0) > (off.get(seen) ?? 0));
    assert.equal(series.get('gleaner_kit_backoff_seconds{kit="kit-002"}'), 0);
  });
}

async function checkLabels(gleaner: Gleaner, sim: Sim): Promise<void> {
  const ledger = await sim.ledger();
  const ids = new Set(ledger.flatMap(({ drone_id, uid }) => [drone_id ?? [], uid ?? []].flat()));
  assert.ok(ids.size > 30, "there is something to look for");
  for (const accept of ["text/plain", "application/openmetrics-text"]) {
    const text = await (await gleaner.get("/metrics", { accept })).text();
    for (const id of [...ids, ...sim.kits.map(({ uid }) => uid), "wardragon-"]) assert.ok(!text.includes(id), id);
    assert.ok(!/([0-9a-f]{2}:){5}[0-9a-f]{2}/i.test(text), "no MAC address");
  }
}

/** What makes a row one row, the same for what was served and what is stored. */
const servedKey = ({ kit, table, time, drone_id, freq_mhz, uid }: LedgerEntry) =>
  [kit, table, Math.trunc(time * 1_000), drone_id ?? "", freq_mhz ?? "", uid ?? ""].join("|");
const storedKey = (table: string) => (row: Fields) =>
  [row["kit_id"], table, ms(row["time"]), row["drone_id"] ?? "", row["freq_mhz"] ?? "", row["uid"] ?? ""].join("|");

const KEYS = { drones: "drone_id", signals: "freq_mhz, uid", system_health: "lat" } as const;

async function checkRows(ledger: readonly LedgerEntry[], db: Reader): Promise<void> {
  const served = new Set(ledger.map(servedKey));
  const stored: string[] = [];
  for (const [table, columns] of Object.entries(KEYS))
    stored.push(...(await db.query(`select kit_id, time, ${columns} from ${table}`)).map(storedKey(table)));
  const kept = new Set(stored);
  assert.equal(kept.size, stored.length, "every row once");
  const without = (all: Set<string>, others: Set<string>) => [...all].filter((key) => !others.has(key));
  const [missing, extra] = [without(served, kept), without(kept, served)];
  assert.deepEqual({ missing, extra }, { missing: [], extra: [] });
  const sources = new Set(ledger.map(({ kit, table }) => `${kit} ${table}`));
  for (const kit of ["kit-001", "kit-002", "kit-003", "kit-007"])
    for (const table of Object.keys(KEYS)) assert.ok(sources.has(`${kit} ${table}`), `${kit} served no ${table}`);
}

async function checkPace(db: Reader): Promise<void> {
  for (const kit of ["kit-001", "kit-008"]) {
    const rows = await db.query(`select time from drones where kit_id = '${kit}' order by drone_id, time`);
    const times = rows.map(({ time }) => ms(time));
    const gaps = times.slice(1).flatMap((time, i) => (time > (times[i] ?? time) ? [time - (times[i] ?? time)] : []));
    const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? Number.POSITIVE_INFINITY;
    assert.ok(gaps.length > 20, `${kit} was polled`);
    assert.ok(median < TIMEOUT_MS / 3, `${kit}: ${median} ms between two observations`);
  }
}

async function checkRecords(sim: Sim, db: Reader): Promise<void> {
  const kits = await db.query("select * from kits order by kit_id");
  const told = new Set(["kit-001", "kit-002", "kit-003", "kit-007", "kit-008"]);
  assert.deepEqual(
    kits.map((kit) => ({ ...kit, last_seen: kit["last_seen"] !== null, enabled: Boolean(kit["enabled"]) })),
    kits.map((kit, index) => {
      const { id = "", name, location, url, uid } = sim.kits[index] ?? {};
      const [, status] = KITS[id] ?? [];
      return {
        ...kit,
        ...{ kit_id: id, name, location, api_url: url, status, source: "http", enabled: true },
        ...{ last_seen: !NEVER_SEEN.includes(id), uid: told.has(id) ? uid : null },
      };
    }),
  );
  const states = await db.query("select * from plugin_status where plugin_id = 'dragonsync' order by target_id");
  assert.equal(states.length, 10);
  for (const state of states) {
    const [fault, health] = KITS[String(state["target_id"])] ?? [];
    const isTroubled = health !== "online" || state["target_id"] === "kit-002";
    assert.equal(state["health_status"], health, `${state["target_id"]}`);
    assert.equal(Number(state["error_count"]) > 0, isTroubled, `${state["target_id"]} ${fault}`);
    assert.equal(Number(state["consecutive_errors"]) > 0, health !== "online");
    assert.equal(state["last_success"] === null, NEVER_SEEN.includes(String(state["target_id"])));
    assert.notEqual(state["last_run"], null);
  }
  const runs = await db.query(
    "select distinct target_id, error_kind from plugin_executions where plugin_id = 'dragonsync' order by target_id",
  );
  assert.deepEqual(runs, [
    { target_id: "kit-002", error_kind: "unreachable" },
    { target_id: "kit-004", error_kind: "http_status" },
    { target_id: "kit-005", error_kind: "bad_data" },
    { target_id: "kit-006", error_kind: "timeout" },
    { target_id: "kit-010", error_kind: "unreachable" },
  ]);
  await checkEvents(db);
}

/** Each kit's events are one chain from unknown to the state it ended in. */
async function checkEvents(db: Reader): Promise<void> {
  const events = await db.query("select id, from_state, to_state from health_events where kind = 'kit' order by time");
  for (const [kit, [, state]] of Object.entries(KITS)) {
    const chain = events.filter(({ id }) => id === kit);
    for (const [i, event] of chain.entries())
      assert.equal(event["from_state"], chain[i - 1]?.["to_state"] ?? "unknown");
    assert.equal(chain.at(-1)?.["to_state"], state, kit);
  }
  const reached = events.filter(({ id }) => id === "kit-002").map(({ to_state }) => to_state);
  assert.ok(reached.includes("offline") && reached.at(-1) === "online", String(reached));
}
