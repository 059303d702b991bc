// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration look like these.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import { formatDuration } from "../../src/model/duration.ts";
import { plugins } from "./plugins.ts";

const cwd = mkdtempSync(join(tmpdir(), "gleaner-fuzz-"));
after(() => rmSync(cwd, { recursive: true }));

const load = async (main: string | Uint8Array, kits: string | Uint8Array = "") => {
  writeFileSync(join(cwd, "gleaner.yaml"), main);
  writeFileSync(join(cwd, "kits.yaml"), kits);
  const config = loadConfig({ env: { SECRET: "canary" }, cwd });
  return { config, ...(await resolveTargets(config, config.kitList, plugins)) };
};

/** Refusing is fine, anything else than a list of placed problems is not. */
async function refusesCleanly(main: string | Uint8Array, kits?: string | Uint8Array): Promise<void> {
  try {
    await load(main, kits);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.ok(error.problems.length > 0);
    for (const problem of error.problems) assert.match(problem, /^(gleaner|kits)\.yaml(:\d+:\d+ ?.*)?: \S/);
    assert.ok(!error.message.includes("canary"));
  }
}

test("random bytes are refused with a ConfigError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), refusesCleanly),
    {
      numRuns: 300,
    },
  );
});

/** Pieces of which YAML and this configuration are made, in any order. */
const pieces = [
  ..."\n \t:-[]{}&*!|>'\"%@#,?~$",
  ...[
    "\n  ",
    ": ",
    "- ",
    "&a ",
    "*a",
    "<<: ",
    "!!map ",
    "---\n",
    "...",
    "${SECRET}",
    "${",
    "null",
    "0",
    ".inf",
    "-1e999",
  ],
  ...[
    "targets",
    "thing",
    "config",
    "server",
    "tokens",
    "kits",
    "api_url",
    "http://x",
    "__proto__",
    "constructor",
    "5s",
  ],
];

test("random pieces of YAML are refused with a ConfigError, or load", async () => {
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(""));
  await fc.assert(fc.asyncProperty(text, text, refusesCleanly), { numRuns: 1_000 });
});

test("any JSON is refused with a ConfigError, or loads", async () => {
  await fc.assert(fc.asyncProperty(fc.json(), fc.json(), refusesCleanly), { numRuns: 300 });
});

const duration = (min: number, max: number) =>
  fc.oneof(
    fc.integer({ min, max }).map((ms) => ({ ms, written: formatDuration(ms) as string | number })),
    fc
      .integer({ min: Math.ceil(min / 1_000), max: Math.floor(max / 1_000) })
      .map((s) => ({ ms: s * 1_000, written: s })),
  );
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,20}$/).filter((text) => text !== "__proto__");
const tagName = fc.stringMatching(/^[A-Za-z][a-z0-9_]{0,10}$/);
/** No `$`, which would have to be doubled. */
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).map((any) => any.replaceAll("$", "S"));

const kit = fc.record(
  {
    id,
    name: text,
    location: text,
    enabled: fc.boolean(),
    poll_interval: duration(1_000, 60_000),
    timeout: duration(1_000, 60_000),
    tags: fc.dictionary(tagName, text, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

test("whatever the schema allows loads, and comes out as it went in", async () => {
  const kits = fc.uniqueArray(kit, { maxLength: 5, selector: (one) => one.id ?? Symbol() });
  const settings = fc.record({
    batch_size: fc.integer({ min: 1, max: 10_000 }),
    interval: duration(1_000, 3_600_000),
    kits,
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ batch_size, interval, kits }) => {
      const written = kits.map(({ poll_interval, timeout, ...rest }, index) => ({
        ...rest,
        api_url: `http://127.0.0.1:${index + 1}`,
        ...(poll_interval ? { poll_interval: poll_interval.written } : {}),
        ...(timeout ? { timeout: timeout.written } : {}),
      }));
      // JSON is YAML.
      const main = JSON.stringify({ store: { batch_size }, scheduler: { interval: interval.written } });
      const { config, targets, problems } = await load(main, JSON.stringify({ kits: written }, null, 1));
      assert.deepEqual(problems, []);
      assert.equal(config.store.batch_size, batch_size);
      assert.equal(config.scheduler.interval, interval.ms);
      assert.equal(config.kitList.length, kits.length);
      for (const [index, { poll_interval, timeout, name, tags }] of kits.entries()) {
        const entry = config.kitList[index];
        assert.equal(entry?.poll_interval, poll_interval?.ms);
        assert.equal(entry?.timeout, timeout?.ms);
        assert.equal(entry?.name, name);
        assert.deepEqual({ ...entry?.tags }, { ...tags });
      }
      const polled = targets.filter(({ plugin }) => plugin.id === "dragonsync");
      assert.equal(polled.length, kits.filter(({ enabled }) => enabled !== false).length);
    }),
    { numRuns: 150 },
  );
});

test("four thousand kits load within seconds", async () => {
  const entry = (n: number) =>
    `  - id: kit-${n}\n    api_url: http://10.0.${n >> 8}.${n & 255}:8088\n    tags: {a: b}\n`;
  const before = performance.now();
  const { targets } = await load("", `kits:\n${Array.from({ length: 4_096 }, (_, n) => entry(n)).join("")}`);
  assert.equal(targets.length, 4_097);
  assert.ok(performance.now() - before < 5_000);
});
