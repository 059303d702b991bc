import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { runShell, workingCopy } from "../support/working-copy.ts";

/** A plugin with much that is wrong, each on a line of its own. */
const BROKEN = `import { z } from "zod";
import { definePlugin } from "../model/plugin.ts";

const METRICS = {
  broken_wait_ms: { help: "A wait." },
  broken_size_bytes: { help: "A size." },
  broken_events: { help: "Events.", type: "counter" },
  broken_parts: { help: "Parts.", labels: ["serial"] },
  broken_level_ratio: { help: "A level.", unit: "ratio", range: { min: 1, max: 0 } },
  cpus: { help: "CPUs." },
} as const;

export const broken = definePlugin({
  id: "broke",
  title: "Broken",
  summary: "A plugin with mistakes.",
  category: "custom",
  version: "1",
  tags: ["Loud"],
  enabledByDefault: true,
  config: z.strictObject({
    host: z.string(),
    count: z.number().min(1).default(0).describe("How many."),
    nested: z.object({ key: z.string().describe("A key.") }).describe("More."),
  }),
  metrics: METRICS,
  jobs: {
    main: {
      summary: "Reads.",
      every: 0,
      requires: ["broken_parts", "broken_other" as never],
      collect: async () => ({ samples: [] }),
    },
  },
});
`;

const FINDINGS = `broken.ts:5: broken_wait_ms fails the linter: metric names should not contain abbreviated units
broken.ts:6: broken_size_bytes declares the unit none, its name says bytes
broken.ts:7: broken_events fails the linter: counter metrics should have "_total" suffix
broken.ts:8: broken_parts takes serial from outside, and has no maxSeries
broken.ts:9: broken_level_ratio has a range that holds nothing
broken.ts:10: cpus is declared by gleaner's own system_info, too
broken.ts:14: the id broke is not the file's name broken
broken.ts:18: the version is not of the form 1.2.3
broken.ts:19: a tag is not of small letters, digits, blanks, _ and -
broken.ts:20: it runs by default, and needs configuration
broken.ts:22: config.host has no description: .describe("…")
broken.ts:23: config.count refuses its own default
broken.ts:24: config.nested takes unknown keys: use z.strictObject
broken.ts:28: the job main has no interval
broken.ts:28: the job main requires broken_other, not declared
`;

test("plugins validate", async (t) => {
  using copy = workingCopy();
  const validate = (...files: string[]) =>
    runShell(`cd src/plugins && node ../../bin/gleaner.js plugins validate ${files.join(" ")}`, copy.path);

  await t.test("finds nothing wrong with those that come with gleaner, whatever else the shell names", async () => {
    const { code, output } = await validate("*.ts");
    assert.equal(code, 0, output);
    assert.match(output, /^ok {6}system_info.ts: system_info, \d+ metrics, jobs system$/m);
    assert.ok(output.split("\n").every((line) => line === "" || line.startsWith("ok ")));
  });

  await t.test("names file and line of each mistake, and fails", async () => {
    copy.write("src/plugins/broken.ts", BROKEN);
    const { code, output } = await validate("broken.ts", "system_info.ts");
    assert.equal(code, 1);
    const [found, rest] = [output.slice(0, FINDINGS.length), output.slice(FINDINGS.length)];
    assert.equal(found, FINDINGS);
    assert.match(rest, /^ok {6}system_info.ts: .*\n15 problems in 2 plugin files.\n$/);
  });

  const unusable: readonly (readonly [name: string, source: string, finding: RegExp])[] = [
    ["syntax.ts", "\n\nexport const x = = 1;\n", /^syntax.ts:3: cannot be loaded: Expression expected$/m],
    ["enumeration.ts", "\nenum X { A }\n", /^enumeration.ts:2: cannot be loaded: TypeScript enum is not supported/m],
    ["throws.ts", "\nthrow new Error('no luck');\n", /^throws.ts:2: cannot be loaded: no luck$/m],
    ["missing.ts", '\nimport x from "no_such_package";\n', /^missing.ts:2: cannot be loaded: Cannot find package/m],
    ["empty.ts", "export const x = 1;\n", /^empty.ts:1: exports no plugin/m],
    ["shape.js", "export const p = {\n  id: 1, jobs: {},\n  metrics: [] };\n", /^shape.js:2: id: /m],
    ["absent.ts", "", /^absent.ts:1: cannot be read: ENOENT/m],
  ];
  await t.test("says where a file cannot be used at all", async () => {
    for (const [name, source] of unusable) if (source !== "") copy.write(`src/plugins/${name}`, source);
    const { code, output } = await validate(...unusable.map(([name]) => name));
    assert.equal(code, 1);
    for (const [, , finding] of unusable) assert.match(output, finding);
  });

  await t.test("finds two files that want the same id and metrics", async () => {
    await runShell(
      "node bin/gleaner.js plugins new twin && mkdir src/more && mv src/plugins/twin.ts src/more/",
      copy.path,
    );
    await runShell("mkdir src/other && cp src/more/twin.ts src/other/", copy.path);
    const twins = ["../more/twin.ts", "../other/twin.ts"];
    const { output } = await validate(...twins);
    for (const [one, other] of [twins, twins.toReversed()])
      assert.ok(output.includes(`${one}:27: ${other} has the id twin, too\n`), output);
    await runShell("sed s/twin/system_info/ src/more/twin.ts > src/more/system_info.ts", copy.path);
    assert.match((await validate("../more/system_info.ts")).output, /gleaner's own system_info has the id/);
  });
});

test("plugins test", async (t) => {
  using copy = workingCopy();
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.end(
      JSON.stringify({ requests: 40 + asked, queues: [{ name: "mail", length: asked === 3 ? -1 : asked }] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  const run = (args: string) => runShell(`node bin/gleaner.js plugins test ${args}`, copy.path);
  assert.equal((await runShell("node bin/gleaner.js plugins new shop", copy.path)).code, 0);

  await t.test("runs a file's plugin for real, as often as it is told, and prints metrics with timing", async () => {
    const { code, output } = await run(`src/plugins/shop.ts --set url=${url} --iterations 3 --interval 10ms`);
    assert.equal(code, 0, output);
    assert.equal(asked, 3);
    assert.deepEqual(output.match(/^gleaner_shop_requests_total\{target="shop"\} \d+$/gm), [
      'gleaner_shop_requests_total{target="shop"} 41',
      'gleaner_shop_requests_total{target="shop"} 42',
      'gleaner_shop_requests_total{target="shop"} 43',
    ]);
    assert.match(output, /^# shop, iteration 3 of 3\n# status: ok \(\d+ ms\), 1 samples$/m);
    assert.match(output, /^# left out: 1 × out_of_range: shop_queue_length$/m);
    assert.match(output, /^# status: 3 of 3 good; fastest [\d.]+ ms, mean [\d.]+ ms, slowest [\d.]+ ms$/m);
  });

  await t.test("takes the settings out of a file, with the environment in it, and single ones over it", async () => {
    copy.write("settings.yaml", `url: \${SHOP}\n`);
    const env = `SHOP=${url} node bin/gleaner.js`;
    const ok = await runShell(`${env} plugins test src/plugins/shop.ts --settings settings.yaml`, copy.path);
    assert.equal(ok.code, 0, ok.output);
    const unset = await run("src/plugins/shop.ts --settings settings.yaml");
    assert.equal(unset.code, 1);
    assert.match(unset.output, /^settings.yaml:1:6 url: the environment variable SHOP is not set$/m);
    const over = await run("src/plugins/shop.ts --set url=nonsense");
    assert.match(over.output, /^--set url: expected a valid url$/m);
  });

  await t.test("fails with the reason when a run does, or when the plugin breaks its word", async () => {
    const gone = await run("src/plugins/shop.ts --set url=http://127.0.0.1:9/");
    assert.equal(gone.code, 1);
    assert.match(gone.output, /^# status: failed: unreachable: /m);
    assert.match(gone.output, /^Plugin shop: status failed.$/m);
    const source = readFileSync(copy.at("src/plugins/shop.ts"), "utf8")
      .replace("value: requests", 'value: requests, labels: { surprise: "x" }')
      .replace("return {\n          samples", "setInterval(() => {}, 1e6);\n        return {\n          samples");
    copy.write("src/plugins/shop.ts", source);
    const broken = await runShell(
      `timeout -k 1 5 node bin/gleaner.js plugins test src/plugins/shop.ts --set url=${url} || true`,
      copy.path,
    );
    assert.match(broken.output, /^# left out: 1 × undeclared_label: shop_requests_total$/m);
    assert.match(broken.output, /^Plugin shop: undeclared_label; it left open: Timeout.$/m);
  });

  await t.test("knows gleaner's own by their ids, and says which there are not", async () => {
    const { code, output } = await run("network-monitor --job network");
    assert.equal(code, 0, output);
    assert.match(output, /^gleaner_network_receive_bytes_total\{target="network_monitor",device="lo"\} \d+$/m);
    assert.match((await run("network_monitor --job dinner")).output, /has no job dinner. Its jobs are: network.\n$/);
    assert.match((await run("no_such")).output, /^There is no plugin no_such; /);
    assert.match(
      (await run("shop")).output,
      /^The plugin shop is not registered yet: `npm run generate`, or give its file, /,
    );
    assert.match((await run("network_monitor --set nonsense")).output, /--set: expected <setting>=<value>/);
  });
});
