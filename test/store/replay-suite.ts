import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after as afterAll, before, describe, it } from "node:test";
import { openSpool } from "../../src/store/spool.ts";
import type { WriteCounts } from "../../src/store/store.ts";
import { encodeGroup, type Group, rowsIn } from "../../src/store/taken.ts";
import { createWriter } from "../../src/store/writer.ts";
import type { Bench, Subject } from "./harness.ts";
import { after, batch, drone } from "./make.ts";

const DAY_MS = 24 * 3_600_000;
const POLL_MS = 5_000;
/** A kit repeats an observation until there is a new one. */
const OBSERVED_MS = 15_000;
/** Groups of this length make the spool: as many records as an outage has, but not as many fsyncs. */
const RECORD_MS = 600_000;
const TABLES = [
  "drones",
  "signals",
  "system_health",
  "samples",
  "series",
  "documents",
  "plugin_executions",
  "health_events",
];

const floor = (ms: number, step: number) => Math.floor(ms / step) * step;

/** A poll of a kit at a moment of the day: two drones, a signal, now and then its state. */
function poll(ms: number) {
  const at = after(floor(ms, OBSERVED_MS));
  const rows = [
    ...["a", "b"].map((id) => drone(id, at, { lat: ms })),
    { table: "signals", at, values: { freq_mhz: 5_800, uid: "s" } },
    ...(ms % 30_000 === 0 ? [{ table: "system_health", at: after(ms), values: { cpu_percent: 1 } }] : []),
  ];
  return batch({ target: "day-kit", health: "kit", at: after(ms), rows });
}

/** A minute of this host: samples, and a document that changes every hour. */
function minute(ms: number) {
  const samples = [1, 2, 3].map((core) => ({ metric: "load", value: ms + core, labels: { core: String(core) } }));
  const documents = [{ name: "graph", body: { hour: floor(ms, 3_600_000) } }];
  return batch({ target: "day-host", at: after(ms), samples, documents });
}

function groupFrom(from: number): Group {
  const batches = [];
  for (let ms = from; ms < from + RECORD_MS; ms += POLL_MS) {
    batches.push(poll(ms));
    if (ms % 60_000 === 0) batches.push(minute(ms));
  }
  const event = { kind: "kit", id: "day-kit", from: "online", to: "stale", severity: "warning", details: "" } as const;
  return { batches, events: [{ ...event, at: after(from).getTime() }] };
}

const openAt = (path: string) =>
  openSpool({
    ...{ path, maxBytes: 1e9, minFreeBytes: 0, whenFull: "block", now: () => new Date() },
    ...{ onLost() {}, onNote() {}, inFlight: () => 0 },
  });

/** Writes a spool of a whole day. @returns its rows */
function spoolDay(path: string): number {
  const spool = openAt(path);
  let rows = 0;
  for (let from = 0; from < DAY_MS; from += RECORD_MS) {
    const group = groupFrom(from);
    rows += rowsIn(group);
    assert.notEqual(spool.append(encodeGroup(group), rowsIn(group)), undefined);
  }
  spool.close();
  return rows;
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);

/** Lets a writer empty a spool into the store. */
async function drain(bench: Bench, path: string) {
  const told = { stored: 0, duplicate: 0, other: 0 };
  const troubles: unknown[] = [];
  const writer = createWriter({
    store: () => bench.store,
    spool: (hooks) =>
      openSpool({
        ...{ path, maxBytes: 1e9, minFreeBytes: 0, whenFull: "block", now: () => new Date(), onNote: () => {} },
        ...hooks,
      }),
    ...{ embedded: bench.store.engine === "sqlite", pauseWhenFull: false, batchSize: 100, batchTimeout: 10 },
    onStored({ stored, duplicate, rejected, refused }: WriteCounts) {
      told.stored += sum(stored);
      told.duplicate += sum(duplicate);
      told.other += sum(rejected) + sum(refused);
    },
    onFailed: (error) => void troubles.push(error),
    onDropped: (reason, rows) => void troubles.push(`${rows} rows ${reason}`),
    ...{ onTaken() {}, onDown() {}, onUp() {}, onReplayed() {} },
  });
  await writer.flush();
  const left = writer.pendingRows();
  await writer.close();
  assert.deepEqual([troubles, left], [[], 0]);
  return told;
}

/** A whole day's spool, written again and again: after a crash before the spool was told, or from a backup of it. */
export function replaySuite(subject: Subject): void {
  describe(`a day's spool on ${subject.name}`, { timeout: 60_000 }, () => {
    let bench: Bench;
    const folder = mkdtempSync(join(tmpdir(), "gleaner-replay-"));
    before(async () => {
      bench = await subject.open();
    });
    afterAll(async () => {
      await bench.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const counts = async () => {
      const parts = TABLES.map((table) => `(select count(*) from ${table}) as ${table}`);
      const [row = {}] = await bench.query(`select ${parts.join(", ")}`);
      return Object.fromEntries(Object.entries(row).map(([table, n]) => [table, Number(n)]));
    };

    it("stores every row once, and nothing when it is replayed, twice", async () => {
      const day = join(folder, "day.db");
      const rows = spoolDay(day);
      for (const copy of ["first", "second", "third"]) copyFileSync(day, join(folder, copy));
      const first = await drain(bench, join(folder, "first"));
      const observations = DAY_MS / OBSERVED_MS;
      const minutes = DAY_MS / 60_000;
      const expected = {
        ...{ drones: 2 * observations, signals: observations, system_health: DAY_MS / 30_000 },
        ...{ samples: 3 * minutes, series: 3, documents: 24, plugin_executions: minutes },
        health_events: DAY_MS / RECORD_MS,
      };
      assert.deepEqual(await counts(), expected);
      assert.deepEqual([first.stored + first.duplicate, first.other], [rows, 0]);
      for (const copy of ["second", "third"]) {
        // Another process: nothing is remembered.
        await bench.reopen();
        assert.deepEqual(await drain(bench, join(folder, copy)), { stored: 0, duplicate: rows, other: 0 });
        assert.deepEqual(await counts(), expected);
      }
    });
  });
}
