// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration look like these.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { loadConfig } from "../../src/config/load.ts";
import { settingsSchema } from "../../src/config/schema.ts";
import { resolveTargets } from "../../src/config/targets.ts";
import { configurationDoc } from "../../src/generate/config-reference.ts";
import { pluginsDoc } from "../../src/generate/docs.ts";
import { exampleConfig } from "../../src/generate/example.ts";
import { fieldOf, rowsOf, typeName } from "../../src/generate/fields.ts";
import { outOfDate, writeOutputs } from "../../src/generate/output.ts";
import { exportName, loadPlugins, pluginFiles } from "../../src/generate/plugins.ts";
import { registrySource } from "../../src/generate/registry.ts";

const root = resolve(import.meta.dirname, "../..");
const plugins = await loadPlugins(join(root, "src/plugins"));

/** A folder that is removed after the test. */
function folder(context: { after(clean: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), "gleaner-generate-"));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("a file exports its plugin under its name in camel case", () => {
  assert.deepEqual(["dragonsync.ts", "system_info.ts", "a_b2_c.ts", "raid_3.ts"].map(exportName), [
    "dragonsync",
    "systemInfo",
    "aB2C",
    "raid3",
  ]);
});

test("plugin files are those of the folder itself that are not generated", async () => {
  const files = await pluginFiles(join(root, "src/plugins"));
  assert.ok(files.includes("system_info.ts") && !files.some((file) => file.includes(".gen.")));
  assert.deepEqual(files, [...files].sort());
  assert.deepEqual(
    files.map((file) => file.replace(".ts", "")),
    plugins.map(({ id }) => id),
  );
});

test("a file that exports no plugin of its name is refused by name", async (context) => {
  const path = folder(context);
  writeFileSync(join(path, "some_thing.ts"), 'export const someThing = { id: "other" };\n');
  await assert.rejects(loadPlugins(path), /^Error: some_thing\.ts: expected "export const someThing = definePlugin/);
});

test("the registry imports every file, on as many lines as the formatter wants", () => {
  assert.match(
    registrySource(["a_b.ts", "c.ts"]),
    /import \{ aB \} from "\.\/a_b\.ts";\n.*\n.*\n.*\n.* = \[aB, c\];\n$/,
  );
  const many = registrySource(Array.from({ length: 40 }, (_, n) => `plugin_${n}.ts`));
  assert.match(many, /= \[\n {2}plugin0,\n[\s\S]*\n {2}plugin39,\n\];\n$/);
});

test("types in words", () => {
  const words = (schema: z.ZodType) => typeName(fieldOf(schema));
  assert.equal(words(z.int().min(1).max(9)), "whole number, 1 to 9");
  assert.equal(words(z.int()), "whole number");
  assert.equal(words(z.number().min(0)), "number, at least 0");
  assert.equal(words(z.array(z.string())), "list of text");
  assert.equal(words(z.enum(["a", "b"])), "one of a, b");
  assert.equal(words(z.union([z.array(z.string()), z.boolean()])), "list of text or true or false");
  assert.equal(words(z.unknown()), "anything");
});

test("every setting has a description", () => {
  for (const { path, field } of rowsOf(fieldOf(settingsSchema))) assert.ok(field.description, path);
});

test("the reference has every setting and variable, the plugin page every metric", () => {
  const reference = configurationDoc();
  for (const text of [
    "`server.tokens[].scopes`",
    "`targets.<name>.jobs.<name>.cron`",
    "`kits[].retry_policy.base_delay`",
  ])
    assert.ok(reference.includes(text), text);
  assert.match(reference, /\| `scheduler\.timeout` \| duration, 10ms to 1h \| `30s` \| /);
  assert.match(reference, /\| `STALE_THRESHOLD` \| `kits\.stale_threshold` \| /);
  const page = pluginsDoc(plugins);
  for (const { id, metrics } of plugins) {
    assert.ok(page.includes(`\n## ${id}\n`));
    for (const metric of Object.keys(metrics)) assert.ok(page.includes(`| \`gleaner_${metric}\` |`), metric);
  }
  const [first] = plugins;
  assert.ok(first);
  const signed = pluginsDoc([{ ...first, author: "A. Writer", tags: ["disk", "space left"] }]);
  assert.match(signed, /\(version [\d.]+, by A\. Writer\)\..*\nTags: `disk`, `space left`\.\n/);
});

test("the example configuration changes nothing as it is, and loads with every setting uncommented", async (context) => {
  const cwd = folder(context);
  const example = exampleConfig(plugins);
  const load = (text: string) => {
    writeFileSync(join(cwd, "gleaner.yaml"), text);
    writeFileSync(join(cwd, "kits.yaml"), "");
    return loadConfig({ env: {}, cwd });
  };
  const data = (config: object) => ({ ...config, origin: 0, redacted: 0, toJSON: 0 });
  const untouched = load(example);
  assert.deepEqual(JSON.parse(JSON.stringify(data(untouched))), JSON.parse(JSON.stringify(data(load("")))));

  const full = load(example.replaceAll(/^# /gm, ""));
  assert.deepEqual((await resolveTargets(full, [], plugins)).problems, []);
  assert.ok(Object.keys(full.targets).length >= 3);
  // What has a default is shown with it.
  const { interval: _interval, ...scheduler } = full.scheduler;
  assert.deepEqual(scheduler, untouched.scheduler);
  assert.deepEqual(
    [full.store, full.kits, full.log, full.telemetry],
    [untouched.store, untouched.kits, untouched.log, untouched.telemetry],
  );
  for (const { id, config } of (await resolveTargets(full, [], plugins)).targets) {
    const own = (await resolveTargets(untouched, [], plugins)).targets.find((target) => target.id === id);
    assert.deepEqual(config, own?.config, id);
  }
});

test("a default that looks like a variable is written so that it loads as it is", async (context) => {
  const thing = plugins.find(({ id }) => id === "system_info");
  assert.ok(thing);
  const pattern = "^a$|${b}$$";
  const config = z.strictObject({ pattern: z.string().default(pattern).describe("A pattern.") });
  const altered = { ...thing, config };
  const cwd = folder(context);
  writeFileSync(join(cwd, "gleaner.yaml"), exampleConfig([altered]).replaceAll(/^# /gm, ""));
  writeFileSync(join(cwd, "kits.yaml"), "");
  const loaded = loadConfig({ env: {}, cwd });
  assert.deepEqual((await resolveTargets(loaded, [], [altered])).targets[0]?.config, { pattern });
});

test("the example kits load", async (context) => {
  const cwd = folder(context);
  writeFileSync(join(cwd, "kits.yaml"), readFileSync(join(root, "kits.example.yaml")));
  const config = loadConfig({ env: {}, cwd });
  const { targets, problems } = await resolveTargets(config, config.kitList, plugins);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    targets.filter(({ plugin }) => plugin.id === "dragonsync").map(({ id }) => id),
    ["kit-001"],
  );
});

test("only what differs is written, and --check finds the same", async (context) => {
  const path = folder(context);
  const outputs = [
    { path: "docs/a.md", text: "a\n" },
    { path: "b.yaml", text: "b\n" },
  ];
  assert.deepEqual(await outOfDate(outputs, path), ["docs/a.md", "b.yaml"]);
  assert.deepEqual(await writeOutputs(outputs, path), ["docs/a.md", "b.yaml"]);
  assert.deepEqual(await outOfDate(outputs, path), []);
  const before = statSync(join(path, "b.yaml")).mtimeMs;
  writeFileSync(join(path, "docs/a.md"), "edited\n");
  assert.deepEqual(await outOfDate(outputs, path), ["docs/a.md"]);
  assert.deepEqual(await writeOutputs(outputs, path), ["docs/a.md"]);
  assert.equal(readFileSync(join(path, "docs/a.md"), "utf8"), "a\n");
  assert.equal(statSync(join(path, "b.yaml")).mtimeMs, before);
});
