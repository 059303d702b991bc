import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { POSTGRESQL } from "../../src/store/capabilities.ts";
import { fitOf, type StoredCell } from "../../src/store/cells.ts";
import { arraysBinary, copyBinary } from "../../src/store/engines/binary.ts";
import { connectPostgres, type PostgresDriver } from "../../src/store/engines/postgres.ts";
import type { StoredRow } from "../../src/store/rows.ts";
import type { ColumnType } from "../../src/store/tables.ts";
import { startCluster, type TestCluster, whyNoPostgres } from "./postgres.ts";

const TYPES = ["text", "double", "integer", "bigint", "boolean", "time", "json"] as const satisfies ColumnType[];
const ALL = TYPES.map((_, i) => i);

describe("PostgreSQL's binary forms", () => {
  it("are byte for byte what the documentation says", () => {
    const row = ["é", -0.5, -2, 2n ** 62n, true, Date.UTC(2_000) + 1, "{}"];
    const body = Buffer.concat([...copyBinary(TYPES, ALL, [row, TYPES.map(() => null)])]).toString("hex");
    const cells = [
      "00000002c3a9",
      "00000008bfe0000000000000",
      "00000004fffffffe",
      "000000084000000000000000",
      "0000000101",
      "0000000800000000000003e8",
      "00000003017b7d",
    ];
    const nulls = "ffffffff".repeat(7);
    assert.equal(body, `5047434f50590aff0d0a000000000000000000${"0007"}${cells.join("")}${"0007"}${nulls}${"ffff"}`);
    const arrays = arraysBinary(
      ["integer", "boolean"],
      [1, 0],
      [
        [1, true],
        [null, null],
      ],
    );
    assert.deepEqual(
      arrays.map((array) => array.toString("hex")),
      [
        "000000010000000100000010000000020000000100000001" + "01" + "ffffffff",
        "000000010000000100000017000000020000000100000004" + "00000001" + "ffffffff",
      ],
    );
  });

  it("come in pieces of a bounded size, unless one row is larger", () => {
    const rows = [10, 200_000, 10].map((length) => ["é".repeat(length)]);
    const sizes = [...copyBinary(["text"], [0], rows)].map((piece) => piece.length);
    assert.deepEqual(sizes, [19 + 26 + 400_006, 26 + 2]);
    const many = Array.from({ length: 50_000 }, (_, i) => [i]);
    const pieces = [...copyBinary(["double"], [0], many)];
    assert.ok(Math.max(...pieces.map((piece) => piece.length)) < 70_000);
    assert.equal(Buffer.concat(pieces).length, 19 + 50_000 * 14 + 2);
  });
});

const VALUES: Readonly<Record<ColumnType, fc.Arbitrary<unknown>>> = {
  text: fc.string({ unit: "binary", maxLength: 300 }),
  double: fc.double(),
  integer: fc.integer(),
  bigint: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  boolean: fc.boolean(),
  time: fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z") }),
  json: fc.jsonValue().filter((value) => value !== null),
};

/** Rows of cells as the store makes them, each type once. */
const anyRow = fc
  .tuple(...TYPES.map((type) => fc.option(VALUES[type])))
  .map((values) => values.map((value, i) => (value === null ? null : fitOf(TYPES[i] as ColumnType)(value))));

/** What a server gives back of a cell: text, which for numbers and times is exact. */
const asRead = (type: ColumnType, cell: StoredCell): unknown => {
  if (cell === null) return null;
  return type === "json" ? JSON.parse(String(cell)) : type === "bigint" ? String(cell) : cell;
};

describe("PostgreSQL's binary forms on a real server", { skip: whyNoPostgres() ?? false }, () => {
  const names = TYPES.map((type) => `a_${type}`);
  let cluster: TestCluster;
  let driver: PostgresDriver;
  const query = async (text: string, values: readonly unknown[] = []) => {
    const client = await driver.pool.connect();
    try {
      return (await client.query<Record<string, unknown>>(text, values)).rows;
    } finally {
      client.release();
    }
  };
  before(async () => {
    cluster = await startCluster();
    const url = await cluster.createDatabase();
    driver = await connectPostgres({ url, poolSize: 1, statementTimeout: 10_000, lockTimeout: 1_000 });
    const columns = TYPES.map((type, i) => `${names[i]} ${POSTGRESQL.types[type]}`);
    await query(`create table cells (n bigint generated always as identity, ${columns.join(", ")})`);
  });
  after(async () => {
    await driver.pool.end();
    await cluster.stop();
  });
  const contents = async () => {
    const rows = await query(
      `select a_text, a_double, a_integer, a_bigint::text, a_boolean,
              (extract(epoch from a_time) * 1000)::float8 as a_time, a_json from cells order by n`,
    );
    await query("truncate cells");
    return rows.map((row) => names.map((name) => row[name]));
  };
  const expected = (rows: readonly StoredRow[]) =>
    rows.map((row) => row.map((cell, i) => asRead(TYPES[i] as ColumnType, cell)));

  it("mean the same to it, in a COPY and in arrays", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 40 }), async (rows) => {
        await driver.copyIn?.(
          `copy cells (${names.join(", ")}) from stdin with (format binary)`,
          copyBinary(TYPES, ALL, rows),
        );
        assert.deepEqual(await contents(), expected(rows));
        await query(
          `insert into cells (${names.join(", ")})
           select * from unnest(${TYPES.map((type, i) => `$${i + 1}::${POSTGRESQL.types[type]}[]`).join(", ")})`,
          arraysBinary(TYPES, ALL, rows),
        );
        assert.deepEqual(await contents(), expected(rows));
      }),
      { numRuns: 60 },
    );
  });

  it("leave the connection usable when the server refuses a COPY in the middle of it", async () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => [i === 10 ? "\0" : "x".repeat(50)]);
    const copy = driver.copyIn?.(
      "copy cells (a_text) from stdin with (format binary)",
      copyBinary(["text"], [0], rows),
    );
    await assert.rejects(copy ?? Promise.resolve(), { code: "22021" });
    assert.deepEqual(await query("select count(*)::int as n from cells"), [{ n: 0 }]);
  });
});
