import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after as afterAll, before, beforeEach, describe, it } from "node:test";
import { createAlertIntake } from "../../src/app/alert-intake.ts";
import { openSpool, type SpoolOptions } from "../../src/store/spool.ts";
import { createWriter, type WritableStore, type Writer } from "../../src/store/writer.ts";
import { type Bench, contents, type Subject } from "./harness.ts";

const NOW = new Date("2026-11-22T12:00:00.000Z");
const FIRED = "2026-11-22T10:00:00.123Z";
const alert = (over: object = {}) => ({
  status: "firing",
  labels: { alertname: "GleanerKitOffline", alert_id: "kit_offline", kit: "kit-001", severity: "critical" },
  annotations: { summary: "Kit kit-001 cannot be reached.", value: "1" },
  startsAt: FIRED,
  endsAt: "0001-01-01T00:00:00Z",
  fingerprint: "4e301e740ffbfc89",
  ...over,
});
const resolved = (over: object = {}) => alert({ status: "resolved", endsAt: "2026-11-22T10:06:30.500Z", ...over });
const nothing = () => {};

/** What becomes of reported alerts, through intake, writer and spool, on a real database. */
export function alertsSuite(subject: Subject): void {
  describe(`alert history on ${subject.name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "gleaner-alerts-"));
    let bench: Bench;
    let path = "";
    let spools = 0;
    before(async () => {
      bench = await subject.open();
    });
    beforeEach(() => {
      path = join(folder, `${++spools}`, "spool.db");
    });
    afterAll(async () => {
      await bench.close();
      rmSync(folder, { recursive: true });
    });

    function open(store: () => WritableStore | undefined, limits: Partial<SpoolOptions> = {}) {
      const told = { rejected: {} as Record<string, number>, dropped: 0, duplicate: 0 };
      const writer = createWriter({
        ...{ store, embedded: bench.store.engine === "sqlite", pauseWhenFull: false, batchSize: 10, batchTimeout: 20 },
        spool: (hooks) =>
          openSpool({
            ...{ path, maxBytes: 1e9, minFreeBytes: 0, whenFull: "drop_oldest", now: () => NOW, onNote: nothing },
            ...hooks,
            ...limits,
          }),
        backoff: { initial: 5, max: 20 },
        ...{ onTaken: nothing, onFailed: nothing, onDown: nothing, onUp: nothing, onReplayed: nothing },
        onDropped: (_reason, rows) => {
          told.dropped += rows;
        },
        onStored: ({ duplicate }) => {
          told.duplicate += duplicate["alert_history"] ?? 0;
        },
      });
      const rejected = (reason: string, n = 1) => {
        told.rejected[reason] = n;
      };
      const receive = createAlertIntake({ writer, self: { rejected }, now: () => NOW });
      return { writer, told, receive: (...alerts: unknown[]) => receive({ alerts }) };
    }
    const closing = async (writer: Writer) => {
      await writer.flush();
      await writer.close();
    };
    const history = (fingerprint: string) => contents(bench, "alert_history", `fingerprint = '${fingerprint}'`);

    it("keeps both ends of an alert, with what was told of it", async () => {
      const { writer, receive } = open(() => bench.store);
      assert.deepEqual(receive(alert(), resolved()), { status: "kept", accepted: 2, rejected: {} });
      await closing(writer);
      const common = {
        ...{ time: FIRED, received_at: NOW.toISOString(), fingerprint: "4e301e740ffbfc89", alert_id: "kit_offline" },
        ...{ message: "Kit kit-001 cannot be reached.", severity: "critical", source: "alertmanager", value: 1 },
        labels: { alert_id: "kit_offline", alertname: "GleanerKitOffline", kit: "kit-001", severity: "critical" },
        annotations: { summary: "Kit kit-001 cannot be reached.", value: "1" },
      };
      assert.deepEqual(await history("4e301e740ffbfc89"), [
        { ...common, triggered: false, ends_at: "2026-11-22T10:06:30.500Z" },
        { ...common, triggered: true, ends_at: null },
      ]);
    });

    it("stores nothing twice that is told twice, within a notification, later, and by another process", async () => {
      const fingerprint = "twice";
      const first = open(() => bench.store);
      first.receive(alert({ fingerprint }), alert({ fingerprint }), resolved({ fingerprint }));
      await first.writer.flush();
      first.receive(alert({ fingerprint }), resolved({ fingerprint, endsAt: "2026-11-22T10:07:00Z" }));
      await closing(first.writer);
      const second = open(() => bench.store);
      second.receive(alert({ fingerprint, annotations: { summary: "other words" } }));
      await closing(second.writer);
      assert.equal((await history(fingerprint)).length, 2);
      assert.deepEqual([first.told.duplicate, second.told.duplicate], [3, 1]);
    });

    it("keeps alerts apart that differ in labels, or began at another time", async () => {
      const { writer, receive } = open(() => bench.store);
      receive(
        alert({ fingerprint: "a" }),
        alert({ fingerprint: "b" }),
        alert({ fingerprint: "a", startsAt: "2026-11-22T11:00:00Z" }),
      );
      await closing(writer);
      assert.deepEqual([(await history("a")).length, (await history("b")).length], [2, 1]);
    });

    it("loses nothing that comes while the database is down, though the process ends before it is back", async () => {
      const away = open(() => undefined);
      assert.equal(away.receive(alert({ fingerprint: "down" })).status, "kept");
      // As after kill -9: nothing is said to the writer, and the next one finds the file as it is.
      const left = dirname(path);
      path = join(folder, "left", "spool.db");
      cpSync(left, dirname(path), { recursive: true });
      const back = open(() => bench.store);
      await closing(back.writer);
      assert.equal((await history("down")).length, 1);
      await away.writer.close();
    });

    it("says that nothing is kept when there is nowhere to keep it, and takes it when it is sent again", async () => {
      const full = open(() => undefined, { minFreeBytes: Number.MAX_SAFE_INTEGER, whenFull: "block" });
      assert.deepEqual(full.receive(alert({ fingerprint: "full" }), { bad: 1 }), { status: "not_kept" });
      assert.deepEqual(full.told.rejected, {}, "counted when it is taken");
      await full.writer.close();
      assert.deepEqual(full.receive(alert({ fingerprint: "full" })), { status: "not_kept" }, "closed");
      const again = open(() => bench.store);
      assert.deepEqual(again.receive(alert({ fingerprint: "full" }), { bad: 1 }), {
        ...{ status: "kept", accepted: 1, rejected: { alert_malformed: 1 } },
      });
      assert.deepEqual(again.told.rejected, { alert_malformed: 1 });
      await closing(again.writer);
      assert.equal((await history("full")).length, 1);
    });

    it("takes any text in labels", async () => {
      const { writer, receive } = open(() => bench.store);
      const labels = { alertname: 'x"\\\n\t\u0000 {a,b} \ud800 é', path: "\\N" };
      receive(alert({ fingerprint: "text", labels }));
      await closing(writer);
      const [row] = await history("text");
      assert.deepEqual(row?.["labels"], { alertname: 'x"\\\n\t\u2400 {a,b} \ufffd é', path: "\\N" });
      assert.equal(row?.["alert_id"], 'x"\\\n\t\u2400 {a,b} \ufffd é');
    });
  });
}
