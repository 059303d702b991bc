import assert from "node:assert/strict";
import { after as afterAll, before, describe, it } from "node:test";
import fc from "fast-check";
import { ROW_TABLES } from "../../src/store/tables.ts";
import type { TakenBatch } from "../../src/store/taken.ts";
import { type Bench, contents, type Subject } from "./harness.ts";
import { after, batch, drone, failed, kit, status, T0 } from "./make.ts";

/** What every engine must do. Tests share one database and keep apart by the ids they use. */
export function storeSuite(subject: Subject): void {
  describe(`store on ${subject.name}`, () => {
    let bench: Bench;
    before(async () => {
      bench = await subject.open();
    });
    afterAll(() => bench.close());
    const drones = (kitId: string) => contents(bench, "drones", `kit_id = '${kitId}'`);

    it("answers, and says what it is", async () => {
      await bench.store.ping();
      assert.match(bench.store.label, /^(sqlite|postgresql) /);
    });

    describe("schema", () => {
      const expected = (type: keyof typeof bench.capabilities.types) => bench.capabilities.types[type];

      it("has every row table with exactly the declared columns", async () => {
        for (const [table, { columns }] of Object.entries(ROW_TABLES)) {
          const types = Object.entries(columns).map(([name, type]) => [name, expected(type)]);
          assert.deepEqual(await bench.columns(table), Object.fromEntries(types), table);
        }
      });

      it("has the columns that users' dashboards query, by name and type", async () => {
        for (const [table, byType] of Object.entries(DASHBOARD_COLUMNS)) {
          const columns = await bench.columns(table);
          for (const [type, names] of Object.entries(byType))
            for (const name of names.split(" "))
              assert.equal(columns[name], expected(type as "text"), `${table}.${name}`);
        }
      });

      it("lets a kit have no URL, and only a known status and source", async () => {
        const insert = (id: string, column: string, value: string) =>
          bench.query(`insert into kits (kit_id, api_url, ${column}) values ('${id}', null, '${value}')`);
        // The reader may be read-only: then the constraint is read from the schema instead.
        if (bench.store.engine === "sqlite") {
          const [table] = await bench.query("select sql from sqlite_master where name = 'kits'");
          assert.match(String(table?.["sql"]), /'unknown', 'online', 'offline', 'stale', 'error'/);
          assert.match(String(table?.["sql"]), /'http', 'mqtt', 'both'/);
          assert.doesNotMatch(String(table?.["sql"]), /"api_url" text not null/);
          return;
        }
        await assert.rejects(insert("bad-status", "status", "confused"), /kits_status_check|check constraint/);
        await assert.rejects(insert("bad-source", "source", "smoke"), /check constraint/);
        await insert("no-url", "status", "stale");
        await bench.query("delete from kits where kit_id = 'no-url'");
      });
    });

    describe("batches", () => {
      it("stores samples, typed rows, documents and the execution, each as it was given", async () => {
        const counts = await bench.store.writeBatches([
          batch({
            target: "all",
            samples: [
              { metric: "load", value: 0.25, labels: { core: "1" } },
              { metric: "load", value: 0.5, labels: { core: "2" }, at: after(-500) },
            ],
            rows: [
              drone("drone-1", after(-1_234), { lat: 1.25, rssi: -61, on_ground: false, extra: '{"b":1,"a":[null]}' }),
            ],
            documents: [{ name: "graph", body: { nodes: [1, 2], name: "x" } }],
          }),
        ]);
        assert.deepEqual(counts, {
          stored: { samples: 2, drones: 1, documents: 1, plugin_executions: 1 },
          duplicate: {},
          rejected: {},
          refused: {},
        });
        const [row, ...others] = await drones("all");
        assert.equal(others.length, 0);
        const given = Object.fromEntries(Object.entries(row ?? {}).filter(([, value]) => value !== null));
        assert.deepEqual(given, {
          time: after(-1_234).toISOString(),
          received_at: after(20).toISOString(),
          kit_id: "all",
          drone_id: "drone-1",
          track_type: "drone",
          lat: 1.25,
          rssi: -61,
          on_ground: false,
          extra: { a: [null], b: 1 },
        });
        assert.deepEqual(await contents(bench, "documents", "target_id = 'all'"), [
          {
            time: T0.toISOString(),
            target_id: "all",
            job: "main",
            name: "graph",
            document: { name: "x", nodes: [1, 2] },
          },
        ]);
        assert.deepEqual(await contents(bench, "plugin_executions", "target_id = 'all'"), [
          {
            plugin_id: "host_plugin",
            target_id: "all",
            job: "main",
            started_at: T0.toISOString(),
            completed_at: after(20).toISOString(),
            status: "success",
            error_kind: null,
            error_message: null,
            metrics_count: 2,
            rows_count: 1,
            attempts: 1,
            duration_ms: 20,
            host: "collector-1",
            environment: null,
            collector_version: "1.2.3",
          },
        ]);
      });

      it("shows samples in the view that users know, by the time of the sample", async () => {
        const json =
          bench.store.engine === "sqlite" ? "value ->> '$.numeric_value'" : "(value ->> 'numeric_value')::float8";
        const rows = await bench.query(
          `select time, plugin_id, target_id, metric_name, ${json} as n, tags from plugin_metrics where target_id = 'all' order by time`,
        );
        assert.deepEqual(
          rows.map((row) => [Number(row["time"]), row["plugin_id"], row["metric_name"], row["n"], parsed(row["tags"])]),
          [
            [after(-500).getTime(), "host_plugin", "load", 0.5, { core: "2" }],
            [T0.getTime(), "host_plugin", "load", 0.25, { core: "1" }],
          ],
        );
        if (bench.store.engine === "postgresql")
          assert.equal(
            (await bench.query("select 1 from plugin_metrics where value ? 'numeric_value' and target_id = 'all'"))
              .length,
            2,
          );
      });

      it("stores nothing twice when a batch is replayed, also by a store that has just been opened", async () => {
        const given = batch({
          target: "replay",
          samples: [{ metric: "m", value: 1 }],
          rows: [drone("a", T0), drone("b", T0)],
          documents: [{ name: "d", body: [1] }],
        });
        const first = await bench.store.writeBatches([given]);
        assert.deepEqual(first.stored, { samples: 1, drones: 2, documents: 1, plugin_executions: 1 });
        for (const store of [() => bench.store, () => bench.reopen()]) {
          const { stored, duplicate } = await (await store()).writeBatches([given]);
          assert.equal(sum(stored), 0);
          assert.deepEqual(duplicate, { samples: 1, drones: 2, documents: 1, plugin_executions: 1 });
        }
        assert.equal((await drones("replay")).length, 2);
      });

      it("counts exactly when some rows are new and some are not", async () => {
        await bench.store.writeBatches([
          batch({ target: "mix", health: "kit", rows: [drone("a", T0), drone("b", T0)] }),
        ]);
        const { stored, duplicate } = await bench.store.writeBatches([
          batch({ target: "mix", health: "kit", rows: [drone("b", T0), drone("c", T0), drone("d", T0)] }),
        ]);
        assert.deepEqual([stored["drones"], duplicate["drones"]], [2, 1]);
      });

      it("keeps the first of two rows with one key, in a batch and across batches", async () => {
        const rows = [drone("x", T0, { lat: 1 }), drone("x", T0, { lat: 2 })];
        const counts = await bench.store.writeBatches([
          batch({ target: "first", health: "kit", rows }),
          batch({ target: "first", health: "kit", rows: [drone("x", T0, { lat: 3 })] }),
        ]);
        assert.deepEqual([counts.stored, counts.duplicate], [{ drones: 1 }, { drones: 2 }]);
        await bench.store.writeBatches([batch({ target: "first", health: "kit", rows: [drone("x", T0, { lat: 4 })] })]);
        assert.deepEqual(
          (await drones("first")).map((row) => row["lat"]),
          [1],
        );
      });

      it("rejects and counts rows without a key or a table, and keeps the others", async () => {
        const counts = await bench.store.writeBatches([
          batch({
            target: "rejects",
            health: "kit",
            rows: [
              { table: "drones", at: T0, values: { lat: 1 } },
              { table: "drones", at: new Date(Number.NaN), values: { drone_id: "no-time" } },
              { table: "signals", at: T0, values: { freq_mhz: Number.NaN } },
              { table: "kits", at: T0, values: { kit_id: "sneaky" } },
              { table: "constructor", at: T0, values: {} },
              { table: "signals", at: T0, values: { freq_mhz: 5_800 } },
            ],
            documents: [{ name: "none", body: undefined }],
          }),
        ]);
        assert.deepEqual(counts.stored, { signals: 1 });
        assert.deepEqual(counts.rejected, { drones: 2, signals: 1, kits: 1, constructor: 1, documents: 1 });
        const [signal] = await contents(bench, "signals", "kit_id = 'rejects'");
        assert.deepEqual([signal?.["freq_mhz"], signal?.["uid"]], [5_800, ""]);
      });

      it("takes any text: NUL, lone surrogates, and what means something to COPY, arrays and JSON", async () => {
        const texts = [
          "nul \0 nul",
          "lone \ud800 lone",
          "\\N",
          "\\",
          "tab\tnew\nline\r",
          '{"a","b"}',
          "''\"",
          "𝄞 é 漢",
          "",
          "NULL",
          "\\.",
          "\u2028",
        ];
        for (const [i, text] of texts.entries()) {
          const given = batch({
            target: "text",
            at: after(i),
            rows: [
              drone(`id ${i} ${text}`, after(i), { description: text, extra: JSON.stringify({ [`k${text}`]: text }) }),
            ],
            samples: [{ metric: "m", value: i, labels: { l: text } }],
            documents: [{ name: text, body: { [text]: [text] } }],
          });
          await bench.store.writeBatches([given]);
          const again = await bench.store.writeBatches([given]);
          assert.equal(sum(again.stored), 0, JSON.stringify(text));
        }
        const clean = texts.map((text) => text.replaceAll("\0", "\u2400").toWellFormed());
        const rows = await drones("text");
        assert.deepEqual(
          rows.map((row) => row["description"]),
          clean,
        );
        assert.deepEqual(
          rows.map((row) => row["drone_id"]),
          clean.map((text, i) => `id ${i} ${text}`),
        );
        assert.deepEqual(
          rows.map((row) => row["extra"]),
          clean.map((text) => ({ [`k${text}`]: text })),
        );
        const tags = await bench.query("select tags from plugin_metrics where target_id = 'text' order by time");
        assert.deepEqual(
          tags.map((row) => parsed(row["tags"])),
          clean.map((l) => ({ l })),
        );
        const documents = await contents(bench, "documents", "target_id = 'text'");
        assert.deepEqual(documents.map((row) => row["name"]).sort(), [...clean].sort());
      });

      it("keeps very long ids apart though no index could hold them", async () => {
        const long = "x".repeat(100_000);
        const rows = [drone(`${long}1`, T0), drone(`${long}2`, T0), drone(`${long}1`, T0)];
        const { stored, duplicate } = await bench.store.writeBatches([batch({ target: "long", health: "kit", rows })]);
        assert.deepEqual([stored["drones"], duplicate["drones"]], [2, 1]);
        const labels = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}`, randomText(1_000)]));
        const samples = [1, 2].map((n) => ({ metric: "m", value: n, labels: { ...labels, n: String(n) } }));
        const counts = await bench.store.writeBatches([
          batch({ target: "long", samples, documents: [{ name: long, body: 1 }] }),
        ]);
        assert.deepEqual(counts.stored, { samples: 2, documents: 1, plugin_executions: 1 });
      });

      it("fits every value to its column: boundaries stay, what a column cannot hold is null", async () => {
        const values: [string, unknown, unknown][] = [
          ["lat", 1e308, 1e308],
          ["lat", 5e-324, 5e-324],
          ["lat", -0, 0],
          ["lat", Number.NaN, null],
          ["lat", Number.NEGATIVE_INFINITY, null],
          ["lat", "12.5", 12.5],
          ["lat", "12 m", null],
          ["lat", "", null],
          ["lat", 0.1 + 0.2, 0.1 + 0.2],
          ["rssi", -54.4, -54],
          ["rssi", 2 ** 31 - 1, 2 ** 31 - 1],
          ["rssi", 2 ** 31, null],
          ["rssi", -(2 ** 31), -(2 ** 31)],
          ["on_ground", "false", false],
          ["on_ground", 1, true],
          ["on_ground", "maybe", null],
          ["description", 12.5, "12.5"],
          ["description", true, "true"],
          ["received_at", new Date(8.64e15), null],
          ["received_at", new Date("1969-12-31T23:59:59.999Z"), "1969-12-31T23:59:59.999Z"],
          ["received_at", new Date("9999-12-31T23:59:59.999Z"), "9999-12-31T23:59:59.999Z"],
          ["extra", "{broken", "{broken"],
          ["extra", '{"a":1e999}', { a: null }],
          ["extra", '{"__proto__":{"x":1}}', JSON.parse('{"__proto__":{"x":1}}')],
        ];
        const rows = values.map(([column, value], i) =>
          drone(`v${String(i).padStart(2, "0")}`, T0, { [column]: value as number }),
        );
        await bench.store.writeBatches([batch({ target: "bounds", health: "kit", rows })]);
        const stored = await drones("bounds");
        values.forEach(([column, value, expected], i) => {
          assert.deepEqual(stored[i]?.[column], expected, `${column} ${String(value)}`);
        });
      });

      it("holds integers beyond 2^53 in bigint columns, and times far off in keys", async () => {
        const at = new Date("9999-12-31T23:59:59.999Z");
        const values = { kit_updated_epoch: 2 ** 53 + 2, uptime_hours: -1, cpu_percent: 250 };
        await bench.store.writeBatches([
          batch({ target: "big", health: "kit", rows: [{ table: "system_health", at: T0, values }] }),
        ]);
        const [row] = await bench.query(
          "select cast(kit_updated_epoch as text) as e, uptime_hours, cpu_percent from system_health where kit_id = 'big'",
        );
        assert.deepEqual({ ...row }, { e: "9007199254740994", uptime_hours: -1, cpu_percent: 250 });
        const { stored } = await bench.store.writeBatches([
          batch({ target: "far", health: "kit", rows: [drone("f", at)] }),
        ]);
        assert.equal(stored["drones"], 1);
      });

      it("stores a sample that is no number as null, under its key", async () => {
        const samples = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e308].map((value, i) => ({
          metric: "n",
          value,
          at: after(i),
        }));
        await bench.store.writeBatches([batch({ target: "nan", samples })]);
        const rows = await bench.query(
          "select s.value from samples s join series r on r.series_id = s.series_id where r.target_id = 'nan' order by s.time",
        );
        assert.deepEqual(
          rows.map((row) => row["value"]),
          [null, null, 0, 1e308],
        );
      });

      it("gives one series per plugin, target, metric and label set, whatever the order of labels", async () => {
        const sample = (labels: Record<string, string>, i: number) => ({ metric: "s", value: i, labels, at: after(i) });
        await bench.store.writeBatches([
          batch({
            target: "s1",
            samples: [sample({ a: "1", b: "2" }, 0), sample({ b: "2", a: "1" }, 1), sample({}, 2)],
          }),
        ]);
        await bench.reopen();
        await bench.store.writeBatches([
          batch({ target: "s1", at: after(9), samples: [sample({ b: "2", a: "1" }, 3)] }),
          batch({ target: "s2", samples: [sample({ a: "1", b: "2" }, 0)] }),
        ]);
        const rows = await bench.query(
          "select target_id, count(*) as n from series where metric_name = 's' group by target_id order by target_id",
        );
        assert.deepEqual(
          rows.map((row) => [row["target_id"], Number(row["n"])]),
          [
            ["s1", 2],
            ["s2", 1],
          ],
        );
      });

      it("records every run of a plugin, and of kits only failures, without secrets", async () => {
        const message = "GET http://user:hunter2@kit/ failed, token=hunter2";
        await bench.store.writeBatches([
          batch({ target: "e1", outcome: { status: "empty", reason: "no battery" } }),
          batch({ target: "e1", at: after(1), outcome: failed(message) }),
          batch({ target: "e2", health: "kit" }),
          batch({ target: "e2", health: "kit", at: after(1), outcome: failed() }),
        ]);
        const rows = await contents(bench, "plugin_executions", "target_id in ('e1', 'e2')");
        assert.deepEqual(
          rows.map((row) => [row["target_id"], row["status"], row["error_kind"], row["error_message"]]),
          [
            ["e1", "empty", null, "no battery"],
            ["e1", "failed", "timeout", "GET http://***@kit/ failed, token=***"],
            ["e2", "failed", "timeout", "no answer"],
          ],
        );
      });
    });

    describe("documents", () => {
      const write = (target: string, ...bodies: [number, unknown][]) =>
        bench.store.writeBatches(
          bodies.map(([ms, body]) =>
            batch({ target, health: "kit", at: after(ms), documents: [{ name: "doc", body }] }),
          ),
        );
      const stored = async (target: string) =>
        (await contents(bench, "documents", `target_id = '${target}'`)).map((row) => [
          new Date(String(row["time"])).getTime() - T0.getTime(),
          row["document"],
        ]);

      it("writes one only when it changed, whatever the order of its keys", async () => {
        const counts = await write("d1", [0, { a: 1, b: { c: [1, 2] } }], [1, { b: { c: [1, 2] }, a: 1 }]);
        assert.deepEqual([counts.stored, counts.duplicate], [{ documents: 1 }, { documents: 1 }]);
        await write("d1", [2, { a: 1, b: { c: [1, 2] } }]);
        await bench.reopen();
        await write("d1", [3, { a: 1, b: { c: [1, 2] } }], [4, { a: 2 }], [5, { a: 1, b: { c: [1, 2] } }]);
        assert.deepEqual(await stored("d1"), [
          [0, { a: 1, b: { c: [1, 2] } }],
          [4, { a: 2 }],
          [5, { a: 1, b: { c: [1, 2] } }],
        ]);
      });

      it("stores nothing when an unchanged one is replayed after a change, in one write or another", async () => {
        const history: [number, unknown][] = [
          [0, "X"],
          [1, "X"],
          [2, "Y"],
        ];
        await write("d2", ...history, [1, "X"]);
        await write("d2", ...history);
        await write("d2", [1, "X"]);
        await bench.reopen();
        await write("d2", [1, "X"]);
        assert.deepEqual(await stored("d2"), [
          [0, "X"],
          [2, "Y"],
        ]);
      });

      it("repeats an unchanged one after a day, so that retention keeps the current one", async () => {
        const day = 86_400_000;
        await write("d3", [0, 1], [day - 1, 1], [day, 1], [day + 1, 1]);
        assert.deepEqual(
          (await stored("d3")).map(([ms]) => ms),
          [0, day],
        );
      });
    });

    describe("records", () => {
      it("keeps kits: last_seen only moves on, an identity is not forgotten, the last of two wins", async () => {
        const { store } = bench;
        await store.upsertKits([
          kit({ kitId: "k1", lastSeen: T0, uid: "wd-1" }),
          kit({ kitId: "k2", name: "old" }),
          kit({ kitId: "k2", name: "Cellar" }),
        ]);
        await store.upsertKits([kit({ kitId: "k1", status: "offline", lastSeen: null, uid: null, tags: { a: "1" } })]);
        await store.upsertKits([
          kit({
            kitId: "k1",
            status: "offline",
            lastSeen: after(-1),
            enabled: false,
            source: "both",
            tags: { a: "1" },
          }),
        ]);
        const kits = (await store.listKits()).filter(({ kitId }) => kitId.startsWith("k"));
        assert.deepEqual(kits, [
          kit({
            kitId: "k1",
            status: "offline",
            lastSeen: T0,
            uid: "wd-1",
            enabled: false,
            source: "both",
            tags: { a: "1" },
          }),
          kit({ kitId: "k2", name: "Cellar" }),
        ]);
        await store.upsertKits([kit({ kitId: "k1", lastSeen: after(1) })]);
        assert.deepEqual((await store.listKits()).find(({ kitId }) => kitId === "k1")?.lastSeen, after(1));
        const [times] = await bench.query("select created_at, updated_at from kits where kit_id = 'k1'");
        for (const time of [times?.["created_at"], times?.["updated_at"]])
          assert.ok(Math.abs(Number(time) - Date.now()) < 60_000, String(time));
      });

      it("writes more kits than one statement takes", async () => {
        const many = Array.from({ length: 1_203 }, (_, i) => kit({ kitId: `many-${i}` }));
        await bench.store.upsertKits(many);
        await bench.store.upsertKits(many);
        const [row] = await bench.query("select count(*) as n from kits where kit_id like 'many-%'");
        assert.equal(Number(row?.["n"]), 1_203);
      });

      it("keeps targets' states, and a restart does not forget the last success", async () => {
        const { store } = bench;
        await store.upsertStatus([
          status({ targetId: "t1" }),
          status({ targetId: "t2", state: "failing", lastError: "postgres://u:hunter2@h/d \0" }),
        ]);
        await store.upsertStatus([
          status({
            targetId: "t1",
            lastRun: after(5),
            lastSuccess: null,
            state: "degraded",
            consecutiveErrors: 2,
            errorCount: 7,
          }),
        ]);
        const rows = await bench.query("select * from plugin_status where target_id like 't_' order by target_id");
        assert.deepEqual(
          rows.map((r) => [
            r["target_id"],
            r["health_status"],
            Number(r["last_run"]),
            Number(r["last_success"]),
            r["error_count"],
            r["consecutive_errors"],
            r["last_error"],
          ]),
          [
            ["t1", "degraded", after(5).getTime(), T0.getTime(), 7, 2, null],
            ["t2", "failing", T0.getTime(), T0.getTime(), 0, 0, "postgres://***@h/d \u2400"],
          ],
        );
      });

      describe("plugins", () => {
        const seed = {
          ...{ pluginId: "p1", name: "One", version: "1.0.0", description: "d", category: "system" },
          ...{ enabled: true, config: { b: 1, a: "\0" }, yaml: "first" },
        };
        const row = async () => (await bench.store.listPlugins()).find(({ pluginId }) => pluginId === "p1");
        const stored = async () => (await bench.query("select * from plugins where plugin_id = 'p1'"))[0] ?? {};

        it("are registered under an id that stays, and follow gleaner.yaml", async () => {
          assert.deepEqual(await bench.store.seedPlugins([seed]), []);
          const before = await stored();
          assert.match(String(before["id"]), /^[0-9a-f]{8}-[0-9a-f]{4}-/);
          assert.deepEqual(parsed(before["config"]), { a: "\u2400", b: 1 });
          assert.deepEqual([(await row())?.isEdited, (await row())?.yaml], [false, "first"]);
          await bench.store.seedPlugins([{ ...seed, version: "2.0.0", enabled: false, yaml: "second" }]);
          const now = await stored();
          assert.deepEqual([now["id"], now["version"], Boolean(now["enabled"])], [before["id"], "2.0.0", false]);
          assert.deepEqual([(await row())?.isEdited, (await row())?.yaml], [false, "second"]);
        });

        it("keep an edit, whatever made it, until gleaner.yaml says something else", async () => {
          await bench.store.seedPlugins([{ ...seed, yaml: "third" }]);
          assert.equal(await bench.store.changePlugin("p1", { enabled: false, config: { interval: 5 } }), true);
          const { updated_at: edited } = await stored();
          assert.deepEqual(await bench.store.seedPlugins([{ ...seed, version: "3.0.0", yaml: "third" }]), []);
          const kept = await row();
          assert.deepEqual([kept?.enabled, kept?.config, kept?.isEdited], [false, { interval: 5 }, true]);
          const now = await stored();
          assert.deepEqual([now["version"], now["updated_at"]], ["3.0.0", edited], "what it is follows the code");
          assert.deepEqual(await bench.store.seedPlugins([{ ...seed, yaml: "fourth" }]), ["p1"]);
          assert.deepEqual([(await row())?.enabled, (await row())?.isEdited], [true, false]);
        });

        it("that have no row cannot be changed", async () => {
          assert.equal(await bench.store.changePlugin("nobody", { enabled: true }), false);
        });
      });

      describe("agents", () => {
        const agent = {
          ...{ id: "roof", plugin: "solar", name: "Roof", keySha256: "a".repeat(64), expiresAt: after(1_000) },
        };
        const known = async () => (await bench.store.listAgents()).find(({ id }) => id === "roof");

        it("are made known once, and are what they were made", async () => {
          assert.equal(await bench.store.addAgent(agent), true);
          assert.equal(await bench.store.addAgent({ ...agent, keySha256: "b".repeat(64) }), false);
          const { createdAt, ...rest } = (await known()) ?? {};
          assert.ok(createdAt instanceof Date && Math.abs(createdAt.getTime() - Date.now()) < 60_000);
          assert.deepEqual(rest, {
            ...agent,
            ...{ revokedAt: null, registeredAt: null, declared: null, config: {} },
          });
        });

        it("register, are configured, get another key, and are revoked", async () => {
          const declared = { version: "1.0.0", interval: 5_000, metrics: { agent_x: { help: "X." } } };
          const change = (wanted: Parameters<typeof bench.store.changeAgent>[1]) =>
            bench.store.changeAgent("roof", wanted);
          assert.equal(await change({ declared, registeredAt: T0 }), true);
          assert.equal(await change({ config: { a: "\0", b: [1] } }), true);
          assert.equal(await change({ revokedAt: after(5) }), true);
          const revoked = await known();
          assert.deepEqual([revoked?.declared, revoked?.registeredAt, revoked?.revokedAt], [declared, T0, after(5)]);
          assert.deepEqual(revoked?.config, { a: "\u2400", b: [1] });
          assert.equal(await change({ key: { keySha256: "c".repeat(64), expiresAt: after(9) } }), true);
          const renewed = await known();
          assert.deepEqual(
            [renewed?.keySha256, renewed?.expiresAt, renewed?.revokedAt, renewed?.declared],
            ["c".repeat(64), after(9), null, declared],
          );
          assert.equal(await bench.store.changeAgent("nobody", { revokedAt: T0 }), false);
        });

        it("begin anew when one that was revoked is made known again", async () => {
          assert.equal(await bench.store.addAgent(agent), false);
          await bench.store.changeAgent("roof", { revokedAt: T0 });
          assert.equal(await bench.store.addAgent({ ...agent, plugin: "wind" }), true);
          const again = await known();
          assert.deepEqual(
            [again?.plugin, again?.revokedAt, again?.declared, again?.registeredAt, again?.config],
            ["wind", null, null, null, {}],
          );
        });
      });

      describe("latest values", () => {
        const label = { core: "1" };
        const of = (at: number, values: readonly (readonly [string, number, Record<string, string>?])[]) =>
          batch({
            ...{ target: "latest", at: after(at) },
            samples: values.map(([metric, value, labels]) => ({ metric, value, ...(labels ? { labels } : {}) })),
          });

        it("are the last of each series, now or as they were at a time", async () => {
          await bench.store.writeBatches([
            of(0, [
              ["a", 1],
              ["b", 10, label],
            ]),
            of(1_000, [
              ["a", 2],
              ["c", 5],
            ]),
            of(2_000, [["b", 30, label]]),
          ]);
          const values = async (query: Partial<Parameters<typeof bench.store.latestValues>[0]> = {}) =>
            (await bench.store.latestValues({ targetId: "latest", limit: 100, ...query })).map(
              ({ metric, labels, time, value }) => [metric, labels, time.getTime() - T0.getTime(), value],
            );
          assert.deepEqual(await values(), [
            ["a", {}, 1_000, 2],
            ["b", label, 2_000, 30],
            ["c", {}, 1_000, 5],
          ]);
          assert.deepEqual(await values({ at: after(999) }), [
            ["a", {}, 0, 1],
            ["b", label, 0, 10],
          ]);
          assert.deepEqual(await values({ metric: "b", at: after(1_999) }), [["b", label, 0, 10]]);
          assert.deepEqual(await values({ at: after(-1) }), []);
          assert.equal((await values({ limit: 2 })).length, 2);
          assert.deepEqual(await bench.store.latestValues({ targetId: "nobody", limit: 5 }), []);
        });

        it("and states are counted over all collectors", async () => {
          const given = status({ targetId: "latest", state: "degraded", lastError: "e", errorCount: 3 });
          await bench.store.upsertStatus([given]);
          assert.deepEqual(await bench.store.storedStatus("latest"), given);
          assert.equal(await bench.store.storedStatus("nobody"), undefined);
          const { targets, plugins, series } = await bench.store.storedSummary();
          assert.ok((targets["degraded"] ?? 0) >= 1 && (plugins["host_plugin"] ?? 0) >= 1 && series >= 3);
        });
      });

      it("stores each transition once", async () => {
        const event = {
          at: T0.getTime(),
          kind: "kit",
          id: "h1",
          from: "online",
          to: "stale",
          severity: "warning",
          details: "no data for 60 s",
        } as const;
        await bench.store.writeEvents([event, event]);
        await bench.store.writeEvents([event, { ...event, from: "stale", to: "offline" }]);
        const rows = await contents(bench, "health_events", "id = 'h1'");
        assert.deepEqual(
          rows.map((row) => [row["from_state"], row["to_state"], row["severity"], row["details"]]).sort(),
          [
            ["online", "stale", "warning", "no data for 60 s"],
            ["stale", "offline", "warning", "no data for 60 s"],
          ],
        );
      });

      it("takes nothing as nothing", async () => {
        const { store } = bench;
        assert.deepEqual(await store.writeBatches([]), { stored: {}, duplicate: {}, rejected: {}, refused: {} });
        await Promise.all([store.writeEvents([]), store.upsertKits([]), store.upsertStatus([]), store.seedPlugins([])]);
      });
    });

    it("tells the latest execution of every job, and counts rows", async () => {
      const run = (job: string, ms: number, outcome = failed()) => batch({ target: "q1", job, at: after(ms), outcome });
      await bench.store.writeBatches([run("a", 0), run("a", 10), run("b", 5), run("a", 3)]);
      const latest = (await bench.store.latestExecutions()).filter(({ targetId }) => targetId === "q1");
      assert.deepEqual(
        latest.map((e) => [e.job, e.startedAt, e.status, e.errorKind, e.durationMs]),
        [
          ["a", after(10), "failed", "timeout", 20],
          ["b", after(5), "failed", "timeout", 20],
        ],
      );
      const counts = await bench.store.rowCounts();
      const [row] = await bench.query("select count(*) as n from drones");
      assert.equal(counts["drones"], Number(row?.["n"]));
      assert.ok((counts["series"] ?? 0) > 0);
    });

    it("ends in the same contents however batches are split, interleaved and replayed", async () => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(operations, async ({ batches, order, cuts }) => {
          const [straight, shuffled] = [`r${++run}`, `r${++run}`];
          const once = batches.map((make) => make(straight));
          await bench.store.writeBatches(once);
          const replayed = order.map((i) => (batches[i % batches.length] as (id: string) => TakenBatch)(shuffled));
          // Everything at least once, in any order, cut into writes anywhere.
          const all = [...replayed, ...batches.map((make) => make(shuffled))];
          for (const part of cut(all, cuts)) await bench.store.writeBatches(part);
          assert.deepEqual(await everything(bench, shuffled), await everything(bench, straight));
        }),
        { numRuns: 25 },
      );
    });
  });
}

/** Section 2 of the kit API notes: what existing dashboards select, by portable type. */
const DASHBOARD_COLUMNS = {
  kits: { text: "kit_id name location api_url status source", time: "last_seen created_at", boolean: "enabled" },
  drones: {
    time: "time",
    text: "kit_id drone_id op_status id_type mac ua_type operator_id caa_id rid_make rid_model rid_source track_type transport description rid_status rid_tracking ua_type_name operator_id_type height_type ew_dir",
    double:
      "lat lon alt speed heading vspeed height direction pilot_lat pilot_lon home_lat home_lon freq freq_mhz pressure_altitude gps_accuracy observed_at",
    integer: "runtime rssi",
    boolean: "rid_lookup_attempted rid_lookup_success",
  },
  signals: {
    time: "time",
    text: "kit_id detection_type source signal_type",
    double: "freq_mhz power_dbm bandwidth_mhz lat lon alt pal_conf ntsc_conf",
  },
  system_health: {
    time: "time",
    text: "kit_id time_source gpsd_time_utc",
    double:
      "lat lon alt cpu_percent memory_percent disk_percent uptime_hours temp_cpu temp_gpu pluto_temp zynq_temp speed track",
    boolean: "gps_fix",
    bigint: "kit_updated_epoch",
  },
} as const;

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
const parsed = (json: unknown) => (typeof json === "string" ? JSON.parse(json) : json);
const randomText = (length: number) =>
  Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * i * 31 + i * 7) % 26))).join("");

// Rows of one key are equal here, as they are when a source serves the same observation again.
const anyBatch = fc
  .record({
    job: fc.constantFrom("a", "b"),
    at: fc.nat(5),
    drones: fc.array(fc.tuple(fc.nat(3), fc.nat(2))),
    samples: fc.array(fc.tuple(fc.nat(2), fc.nat(3))),
  })
  .map(
    ({ job, at, drones, samples }) =>
      (target: string): TakenBatch =>
        batch({
          target,
          job,
          at: after(at),
          // The record of a run is the same whenever it is replayed, so it may not depend on what came with it.
          outcome: { status: "ok", collected: { samples: [] } },
          rows: drones.map(([id, ms]) => drone(`d${id}`, after(ms), { lat: id + ms / 8, received_at: T0 })),
          samples: samples.map(([id, ms]) => ({
            metric: `m${id}`,
            value: id * 10 + ms,
            at: after(ms),
            labels: { id: String(id) },
          })),
        }),
  );
const operations = fc.record({
  batches: fc.array(anyBatch, { minLength: 1, maxLength: 6 }),
  order: fc.array(fc.nat(20), { maxLength: 8 }),
  cuts: fc.array(fc.nat(10), { maxLength: 4 }),
});

function* cut<T>(all: readonly T[], cuts: readonly number[]): Generator<readonly T[]> {
  let from = 0;
  for (const to of [...cuts].sort((a, b) => a - b)) {
    yield all.slice(from, to);
    from = Math.max(from, to);
  }
  yield all.slice(from);
}

async function everything(bench: Bench, target: string) {
  const samples = await bench.query(
    `select s.time, s.value, r.metric_name, r.labels from samples s join series r on r.series_id = s.series_id where r.target_id = '${target}' order by r.metric_name, s.time`,
  );
  const executions = await contents(bench, "plugin_executions", `target_id = '${target}'`);
  const keys = executions.map((row) => [row["job"], row["started_at"], row["status"]]);
  const drones = await contents(bench, "drones", `kit_id = '${target}'`);
  return { samples: samples.map((row) => ({ ...row })), keys, drones: drones.map(({ kit_id: _, ...row }) => row) };
}
