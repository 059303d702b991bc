import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { classify } from "../../src/store/classify.ts";
import type { Engine } from "../../src/store/engines/engine.ts";
import { insertApart } from "../../src/store/insert.ts";
import { collectRows, type TableRows } from "../../src/store/rows.ts";
import { drone } from "./make.ts";

const refused = () => Object.assign(new Error("no such drone"), { code: "23514" });

/**
 * An engine that takes tables one after the other, as PostgreSQL's does without a transaction, or all or none of them,
 * as SQLite's; and refuses any write with a poison row in it.
 */
function fakeEngine(poison: ReadonlySet<string>, { atomic, failAt = Number.POSITIVE_INFINITY }: Behaviour) {
  const stored = new Map<string, string>();
  let statements = 0;
  const idOf = (table: TableRows["table"], row: readonly unknown[]) => `${table} ${row.join("|")}`;
  const engine: Pick<Engine, "insertRows"> = {
    async insertRows(tables) {
      const counts: Record<string, number> = {};
      const added: string[] = [];
      for (const { table, rows } of tables) {
        if (++statements === failAt) throw Object.assign(new Error("gone"), { code: "57P01" });
        if (rows.some((row) => row.some((cell) => poison.has(String(cell))))) {
          if (atomic) for (const id of added) stored.delete(id);
          throw refused();
        }
        const fresh = rows.map((row) => idOf(table, row)).filter((id) => !stored.has(id));
        for (const id of fresh) stored.set(id, table);
        added.push(...fresh);
        counts[table] = (counts[table] ?? 0) + fresh.length;
      }
      return counts;
    },
  };
  return { engine: engine as Engine, stored, statements: () => statements };
}

interface Behaviour {
  readonly atomic: boolean;
  /** The statement that fails with a passing error. */
  readonly failAt?: number;
}

function tablesOf(ids: readonly number[], signals: readonly number[]): TableRows[] {
  const rows = collectRows();
  const at = new Date("2026-03-01T12:00:00Z");
  for (const id of ids) rows.add("drones", { ...drone(`d${id}`, at).values, time: at, kit_id: "k" });
  for (const id of signals) rows.add("signals", { time: at, kit_id: "k", freq_mhz: 100, uid: `s${id}` });
  return rows.tables();
}

const someRows = fc.uniqueArray(fc.nat(40), { maxLength: 30 });
const someCase = fc.record({
  drones: someRows,
  signals: someRows,
  poison: fc.subarray(Array.from({ length: 82 }, (_, i) => (i < 41 ? `d${i}` : `s${i - 41}`))),
  atomic: fc.boolean(),
});

describe("rows that the database refuses", () => {
  it("are handed back, exactly they, whichever they are, and all others are stored", async () => {
    await fc.assert(
      fc.asyncProperty(someCase, async ({ drones, signals, poison, atomic }) => {
        const bad = new Set(poison);
        const tables = tablesOf(drones, signals);
        const { engine, stored, statements } = fakeEngine(bad, { atomic });
        const { letters, stored: counts } = await insertApart(engine, tables);
        const offered = [...drones.map((id) => `d${id}`), ...signals.map((id) => `s${id}`)];
        const idIn = (text: string) => /[ds]\d+/.exec(text.replace(/^\w+ /, ""))?.[0];
        const back = letters.map(({ row }) => row.find((cell) => /^[ds]\d+$/.test(String(cell))));
        assert.deepEqual(back.toSorted(), offered.filter((id) => bad.has(id)).toSorted());
        assert.deepEqual([...stored.keys()].map(idIn).toSorted(), offered.filter((id) => !bad.has(id)).toSorted());
        for (const letter of letters) assert.equal(letter.reason, "no such drone");
        const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
        assert.ok(total <= stored.size);
        // Each bad row costs two statements for every halving of its table, not one for every row.
        assert.ok(statements() <= 4 + letters.length * 2 * 6, `${statements()} statements`);
      }),
    );
  });

  it("are not looked for when a write fails for another reason, and another try ends the same", async () => {
    await fc.assert(
      fc.asyncProperty(someCase, fc.nat(30), async ({ drones, signals, poison, atomic }, failAt) => {
        const tables = tablesOf(drones, signals);
        const { engine, stored } = fakeEngine(new Set(poison), { atomic, failAt });
        const first = await insertApart(engine, tables).catch((error: unknown) => error);
        if (first instanceof Error) assert.equal(classify(first), "retry");
        const { letters } =
          first instanceof Error
            ? await insertApart(engine, tables)
            : (first as Awaited<ReturnType<typeof insertApart>>);
        const bad = [...drones.map((id) => `d${id}`), ...signals.map((id) => `s${id}`)].filter((id) =>
          poison.includes(id),
        );
        assert.equal(letters.length, bad.length);
        assert.equal(stored.size, drones.length + signals.length - bad.length);
      }),
    );
  });
});
