import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBody } from "../../../src/plugins/dragonsync/parse.ts";
import { read, rejected } from "./support.ts";

const parse = (text: string) => parseBody(text, "GET /drones");
const MB = 1_000_000;

describe("bodies that are not quite JSON", () => {
  it("read bare NaN, Infinity and -Infinity as null, and count them", () => {
    assert.deepEqual(parse('{"a":NaN,"b":[Infinity,-Infinity, NaN ],"c":1}'), {
      value: { a: null, b: [null, null, null], c: 1 },
      notNumbers: 4,
    });
    assert.deepEqual(parse("NaN"), { value: null, notNumbers: 1 });
  });

  it("leave the words alone inside strings, also behind escaped quotes", () => {
    const text = String.raw`{"NaN":"NaN","b":"\"NaN, -Infinity","c":"\\","d":NaN}`;
    assert.deepEqual(parse(text).value, { NaN: "NaN", b: '"NaN, -Infinity', c: "\\", d: null });
    assert.equal(parse(text).notNumbers, 1);
  });

  it("may start with a byte order mark", () => {
    assert.deepEqual(parse('\ufeff{"drones":[]}').value, { drones: [] });
    assert.deepEqual(parse("\ufeff[NaN]").value, [null]);
  });

  it("are not repaired otherwise, and the error tells where and what", () => {
    const cases: readonly [string, string][] = [
      ['{"a":nan}', "position 6"],
      ['{"a":NaN,"b":NaN,"c" 1}', "position 21"],
      ['{"a":Infinity,"b":-Infinity,"c" 1}', "position 32"],
      ['{"a":NaN,', "position 9"],
      ['{"a":1', "position 6"],
      ["[1NaN]", "position 2"],
      ["[NaNs]", "position 4"],
      ["[--Infinity]", "position 2"],
      ["[,]", "position 1"],
      ['{"a":true,"b":[1e5,],"c":1}', "position 19"],
      ["[NaN,nulx]", "position 8"],
      ["[NaN, -Infinity, Nan]", "position 17"],
      ["{'a':1}", "position 1"],
      [
        "<html><body>502 Bad Gateway",
        "position 0: Unexpected token '<'; the body starts with \"<html><body>502 Bad Gateway\"",
      ],
      ["", "position 0: Unexpected end of JSON input; the body is empty"],
      ["\u0000\u0007binary\u00ff", 'the body starts with "binary"'],
      ['{"a":"\\ud800\\"', "position 14"],
    ];
    for (const [text, expected] of cases) {
      assert.throws(
        () => parse(text),
        (error: Error & { kind?: string }) => {
          assert.deepEqual([error.name, error.kind], ["CollectError", "bad_data"]);
          assert.ok(error.message.startsWith("GET /drones: not JSON at "), error.message);
          assert.ok(error.message.includes(expected), `${text}: ${error.message}`);
          return true;
        },
      );
    }
    assert.throws(
      () => parse(`["${"x".repeat(1_000)}`),
      (error: Error) => error.message.length < 250,
    );
  });

  it("may nest 32 levels, counted outside strings", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    assert.doesNotThrow(() => parse(nested(32)));
    assert.throws(() => parse(nested(33)), { message: /nested deeper than 32 levels at position 32/ });
    assert.throws(() => parse('{"a":'.repeat(33)), { message: /nested deeper/ });
    // A large body is looked through before it is parsed, a small one after.
    const large = " ".repeat(200_000);
    assert.doesNotThrow(() => parse(`${nested(32)}${large}`));
    assert.throws(() => parse(`${nested(33)}${large}`), { message: /nested deeper than 32 levels at position 32/ });
    const mixed = (levels: number) => `${'[{"a":1,"b":'.repeat(levels / 2)}0${"}]".repeat(levels / 2)}`;
    for (const padding of ["", large]) {
      assert.doesNotThrow(() => parse(`{"x":[${mixed(30)}]}${padding}`));
      assert.throws(() => parse(`{"x":[${mixed(32)}]}${padding}`), { message: /nested deeper/ });
    }
    assert.deepEqual(parse(`["${"[".repeat(99)}","\\"[[[${"{".repeat(50)}"]`).value, [
      "[".repeat(99),
      `"[[[${"{".repeat(50)}`,
    ]);
    assert.equal((parse(`[${"[1],".repeat(500)}0]`).value as unknown[]).length, 501);
  });

  it("take time in proportion to their size, whatever 8 MB of them hold", () => {
    const hostile: readonly string[] = [
      "[".repeat(8 * MB),
      '"\\'.repeat(4 * MB),
      '["\\""'.repeat(1.3 * MB),
      `[${"NaN,".repeat(2 * MB)}NaN]`,
      `[${"-".repeat(8 * MB)}]`,
      `{"a":"${"\\\\".repeat(4 * MB)}`,
      `[NaN,"${"\\u004e".repeat(1.3 * MB)}"]`,
      `[${"-Infinit,".repeat(0.9 * MB)}]`,
    ];
    for (const body of hostile) {
      const started = performance.now();
      try {
        parse(body);
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, "bad_data");
      }
      const ms = performance.now() - started;
      // Quadratic work on 8 MB is hours; the bound leaves room for a busy machine.
      assert.ok(ms < 5_000, `${body.slice(0, 12)}…: ${ms} ms`);
    }
  });
});

describe("shapes of an answer", () => {
  it("are an object with the list, or the list itself", async () => {
    const track = { id: "a", last_update_time: 1.79e9 };
    for (const body of [{ drones: [track] }, [track], { ok: true, drones: [track] }]) {
      assert.equal((await read("drones", body)).rows?.length, 1);
    }
    const signal = { uid: "s", center_hz: 5e9, observed_at: 1.79e9 };
    for (const body of [{ signals: [signal] }, [signal]]) {
      assert.equal((await read("signals", body)).rows?.length, 1);
    }
  });

  it("anything else is bad data, told without its content", async () => {
    const cases: readonly [unknown, string][] = [
      [null, "got null"],
      [{}, "got an object with no keys"],
      ['{"drones":{"a":1}}', 'got an object with "drones"'],
      ["7", "got a number"],
      [{ error: "secret words" }, 'got an object with "error"'],
      [{ signals: [] }, 'got an object with "signals"'],
    ];
    for (const [body, expected] of cases) {
      await assert.rejects(read("drones", body), {
        kind: "bad_data",
        message: `GET /drones: expected {"drones": […]} or an array, ${expected}`,
      });
    }
  });

  it("count NaN tokens once for the body", async () => {
    const body = '{"drones":[{"id":"a","lat":NaN,"lon":NaN,"last_update_time":1795318000}]}';
    assert.deepEqual(rejected(await read("drones", body)), { not_a_number: 2 });
  });
});
