import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import fc from "fast-check";
import { classify, type Verdict } from "../../src/store/classify.ts";

const withCode = (code: unknown) => Object.assign(new Error("no"), { code });

/** What errors of a real server and of the system below it ask for. */
const CODES: Readonly<Record<Verdict, readonly string[]>> = {
  retry: [
    ...["08000", "08006", "53100", "53200", "53300", "57014", "57P01", "57P02", "57P03", "40001", "40P01", "25006"],
    ...["55P03", "55000", "58030", "XX000", "0A000", "23503", "23505", "25P02", "P0001"],
    ...["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EPIPE", "ENOENT", "EHOSTUNREACH", "EAI_AGAIN"],
  ],
  data: ["22001", "22003", "22007", "22021", "22P02", "22P05", "23502", "23514", "23000"],
  stop: ["42P01", "42703", "42501", "42601", "28000", "28P01", "3D000", "3F000"],
};

describe("the verdict on an error", () => {
  for (const [verdict, codes] of Object.entries(CODES))
    it(`is ${verdict} for ${codes.join(" ")}`, () => {
      for (const code of codes) assert.equal(classify(withCode(code)), verdict, code);
    });

  it("is never to give a row up for an error that nobody knows", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        assert.notEqual(classify(thrown), "data");
        assert.equal(classify(withCode(thrown)), classify(withCode(thrown)));
      }),
    );
    const known = /^(22|23|28|3D|3F|42)/;
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9A-Z]{5}$/), (code) => {
        fc.pre(!known.test(code));
        assert.equal(classify(withCode(code)), "retry");
      }),
    );
  });

  it("is right for what SQLite throws", () => {
    const database = new DatabaseSync(":memory:");
    database.exec("create table t (id integer primary key, n integer not null check (n > 0)) strict");
    const thrown = (sql: string): unknown => {
      try {
        database.exec(sql);
      } catch (error) {
        return error;
      }
      throw new Error("it did not fail");
    };
    assert.equal(classify(thrown("insert into t values (1, null)")), "data");
    assert.equal(classify(thrown("insert into t values (1, -1)")), "data");
    assert.equal(classify(thrown("insert into t values (1, 'x')")), "data");
    assert.equal(classify(thrown("select * from other")), "stop");
    for (const [code, verdict] of [
      [5, "retry"],
      [13, "retry"],
      [10 | (3 << 8), "retry"],
      [8, "retry"],
      [11, "stop"],
      [26, "stop"],
    ] as const)
      assert.equal(classify(Object.assign(new Error(), { errcode: code })), verdict, String(code));
    database.close();
  });
});
