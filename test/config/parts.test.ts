// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration look like these.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { suggestion } from "../../src/config/closest.ts";
import { isCron, longestGap } from "../../src/config/cron.ts";
import { databaseUrlProblem, redactDatabaseUrl, resolveDatabaseUrl } from "../../src/config/database-url.ts";
import { interpolate } from "../../src/config/interpolate.ts";
import { normaliseUrl } from "../../src/config/kits.ts";
import { describeIssue } from "../../src/config/messages.ts";
import { formatPath, inOrder } from "../../src/config/problem.ts";
import { days, hours, minutes } from "../../src/model/duration.ts";

describe("interpolate", () => {
  const env = { A: "1", EMPTY: "", NESTED: "${A}" };
  const cases = [
    ["plain", "plain"],
    ["${A}", "1"],
    ["x${A}y${A}z", "x1y1z"],
    ["${B:-fallback}", "fallback"],
    ["${EMPTY:-fallback}", "fallback"],
    ["${B:-}", ""],
    ["$$", "$"],
    ["$${A}", "${A}"],
    ["$$$${A}", "$${A}"],
    ["$A $ 5$", "$A $ 5$"],
    ["${NESTED}", "${A}"],
  ] as const;
  for (const [given, expected] of cases) {
    test(given, () => {
      const { text, missing, malformed } = interpolate(given, env);
      assert.deepEqual({ text, missing, malformed }, { text: expected, missing: [], malformed: false });
    });
  }

  test("what is not set is named, what is no reference is told", () => {
    assert.deepEqual(interpolate("${B}${EMPTY}", env).missing, ["B", "EMPTY"]);
    for (const text of ["${", "${}", "${1}", "${A-b}", "${A"])
      assert.equal(interpolate(text, env).malformed, true, text);
  });

  test("doubling every dollar keeps any text", () => {
    fc.assert(fc.property(fc.string(), (text) => interpolate(text.replaceAll("$", "$$$$"), {}).text === text));
  });
});

describe("what text has to look like", () => {
  const cases = [
    [z.string().startsWith("/"), "expected text that starts with /"],
    [z.string().endsWith(".pem"), "expected text that ends with .pem"],
    [z.string().regex(/^a/), "expected text that matches /^a/"],
    [z.url(), "expected a valid url"],
  ] as const;
  for (const [schema, expected] of cases) {
    test(expected, () => {
      const { error } = schema.safeParse("nothing like it", { error: describeIssue });
      assert.equal(error?.issues[0]?.message, expected);
    });
  }
});

describe("suggestion", () => {
  const known = ["interval", "timeout", "max_retries"];
  const cases = [
    ["intervall", "interval"],
    ["INTERVAL", "interval"],
    ["max-retries", "max_retries"],
    ["timeuot", "timeout"],
  ] as const;
  for (const [word, meant] of cases) {
    test(word, () => assert.equal(suggestion(word, known), `, did you mean "${meant}"?`));
  }
  test("nothing near: what is known", () => {
    assert.equal(suggestion("zzz", known), "; known here: interval, timeout, max_retries");
    assert.equal(suggestion("zzz", []), "");
  });
});

describe("cron", () => {
  const valid = [
    ["* * * * *", minutes(1)],
    ["*/5 * * * *", minutes(5)],
    ["5 * * * *", hours(1)],
    ["0 */2 * * *", hours(2)],
    ["0 3 * * *", days(1)],
    ["0 3 * * mon", days(7)],
    ["0 3 1,15 * *", days(31)],
    ["0 3 1 Jan *", days(366)],
    ["*/10 * * * * *", minutes(1)],
    ["0-30/5 8-17 * * Monday-Friday", days(7)],
  ] as const;
  for (const [expression, gap] of valid) {
    test(expression, () => {
      assert.ok(isCron(expression));
      assert.equal(longestGap(expression), gap);
    });
  }
  for (const expression of [
    "",
    "* * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "*/0 * * * *",
    "a * * * *",
    "1- * * * *",
    "@daily",
    "* * * * * * *",
  ]) {
    test(`${expression} is refused`, () => assert.equal(isCron(expression), false));
  }
});

describe("database URL", () => {
  test("a password with anything in it is never shown", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        const secret = `canary${password}`;
        const url = `postgresql://u:${encodeURIComponent(secret.toWellFormed())}@h:5432/d?password=canary`;
        assert.equal(databaseUrlProblem(url), undefined);
        assert.equal(redactDatabaseUrl(url), "postgresql://u@h:5432/d");
        for (const broken of [url.replace("@", "/"), url.replace("postgresql:", "mysql:"), secret])
          assert.ok(!databaseUrlProblem(broken)?.includes("canary"));
      }),
    );
  });

  test("sqlite paths", () => {
    const resolved = ["sqlite:a.db", "sqlite://a.db", "sqlite:///../a.db", "sqlite:/b/a.db", "sqlite:////b/a.db"].map(
      (url) => resolveDatabaseUrl(url, "/x/y"),
    );
    assert.deepEqual(resolved, [
      "sqlite:/x/y/a.db",
      "sqlite:/x/y/a.db",
      "sqlite:/x/a.db",
      "sqlite:/b/a.db",
      "sqlite:/b/a.db",
    ]);
  });

  test("needs a file, or a database", () => {
    for (const url of ["sqlite://", "sqlite:///", "sqlite:data/", "postgresql://h", "postgresql:/h/d", "file.db", ""])
      assert.ok(databaseUrlProblem(url), url);
  });
});

test("one kit's URL in many spellings", () => {
  const spellings = ["http://kit.example:80/a", "HTTP://KIT.example/a/", "http://kit.example/./a//"];
  assert.deepEqual(new Set(spellings.map(normaliseUrl)), new Set(["http://kit.example/a"]));
});

test("paths and order of problems", () => {
  assert.equal(formatPath(["a", "b-c", 0, "d e", "f.g", "\u0007"]), 'a.b-c[0]["d e"]["f.g"]["\\u0007"]');
  assert.equal(formatPath([]), "");
  assert.deepEqual(inOrder(["a:10:1 x: 1", "V: 2", "a:9:2: 3", "W: 4", "b:1:1 y: 5", "a:9:1 z: 6"]), [
    "a:9:1 z: 6",
    "a:9:2: 3",
    "a:10:1 x: 1",
    "V: 2",
    "W: 4",
    "b:1:1 y: 5",
  ]);
});
