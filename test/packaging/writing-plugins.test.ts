// Follows CONTRIBUTING.md to the letter, in a copy: the plugin that it has people write must pass everything.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runShell, workingCopy } from "../support/working-copy.ts";

const text = readFileSync(new URL("../../CONTRIBUTING.md", import.meta.url), "utf8");
const section = text.slice(text.indexOf("## Add a plugin"), text.indexOf("## Style"));
const blocks = (language: string) =>
  [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, block = ""]) => block);

const TYPES = JSON.stringify({
  extends: "./tsconfig.json",
  compilerOptions: { noEmit: true },
  include: ["src/plugins/weather_station.ts", "src/plugins/registry.gen.ts"],
});

test("the plugin of CONTRIBUTING.md, written by copying it, is green", async () => {
  const [source = ""] = blocks("ts");
  const [record = "", check = "", real = ""] = blocks("sh");
  assert.match(section, /`src\/plugins\/weather_station.ts`/);
  assert.match(real, /plugins test weather_station/);
  using copy = workingCopy();
  copy.write("src/plugins/weather_station.ts", source);
  // The whole check takes a minute; what of it concerns the plugin follows below.
  const quick = check.replace("npm run check\n", "");
  assert.notEqual(quick, check);
  const { code, output } = await runShell(`${record}\n${quick}`, copy.path);
  assert.equal(code, 0, output);
  assert.match(output, /^gleaner_weather_temperature_celsius 18.4$/m);
  assert.match(output, /^gleaner_weather_wind_meters_per_second\{mast="south"\} 5.2$/m);
  assert.match(output, /^ok {6}src\/plugins\/weather_station.ts: weather_station, 2 metrics, jobs now$/m);

  copy.write("types.json", TYPES);
  const held = await runShell(
    "tsc -p types.json && biome check --error-on-warnings src/plugins && node src/generate/main.ts --check",
    copy.path,
  );
  assert.equal(held.code, 0, held.output);
});

test("`plugins new` writes a plugin and a case that pass as they are, whatever its name", async (t) => {
  const ids = ["rack", "a_very_long_name_of_a_thing_to_monitor2"];
  using copy = workingCopy();
  const made = await runShell(ids.map((id) => `node bin/gleaner.js plugins new ${id}`).join("\n"), copy.path);
  assert.equal(made.code, 0, made.output);

  await t.test("in form, of the right types, and as its case expects", async () => {
    const include = ids.map((id) => `src/plugins/${id}.ts`);
    copy.write(
      "types.json",
      JSON.stringify({ extends: "./tsconfig.json", compilerOptions: { noEmit: true }, include }),
    );
    const { code, output } = await runShell(
      [
        "npm run -s generate",
        "tsc -p types.json",
        "biome check --error-on-warnings src/plugins",
        `node --test --test-name-pattern '${ids.join("|")}' test/plugins/cases.test.ts test/contract/plugin.test.ts`,
        `node bin/gleaner.js plugins validate ${include.join(" ")}`,
        "node bin/gleaner.js plugins list",
      ].join("\n"),
      copy.path,
    );
    assert.equal(code, 0, output);
    assert.match(output, /^ℹ fail 0$/m);
    for (const id of ids) assert.match(output, new RegExp(`✔ ${id}: first`));
    assert.match(output, /^rack +custom +off +off +status 30s/m);
  });

  await t.test("never over something, never elsewhere, never under a name that is none", async () => {
    const refused = async (id: string, cwd = copy.path) =>
      (await runShell(`node ${copy.at("bin/gleaner.js")} plugins new ${id}`, cwd)).output;
    assert.equal(await refused("rack"), "src/plugins/rack.ts is there already.\n");
    assert.match(await refused("Rack!"), /expected an id such as weather_station/);
    assert.match(await refused("x".repeat(41)), /at most 40 characters/);
    assert.match(await refused("shelf", copy.at("src")), /no working copy of gleaner/);
  });
});
