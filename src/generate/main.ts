/** Writes everything that follows from the declarations: `npm run generate`, or with `-- --check` only says what is out of date. */
import { resolve } from "node:path";
import { builtInAlerts } from "./alerts/catalogue.ts";
import { alertOutputs, RUNBOOKS } from "./alerts/outputs.ts";
import { configurationDoc } from "./config-reference.ts";
import { dashboardFiles } from "./dashboards/index.ts";
import { pluginsDoc } from "./docs.ts";
import { exampleConfig } from "./example.ts";
import { type Output, outOfDate, writeOutputs } from "./output.ts";
import { loadPlugins, pluginFiles } from "./plugins.ts";
import { registrySource } from "./registry.ts";
import { runbooksDoc } from "./runbooks.ts";
import { testedSection } from "./tested.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = resolve(root, "src/plugins");
const plugins = await loadPlugins(folder);

const outputs: readonly Output[] = [
  { path: "src/plugins/registry.gen.ts", text: registrySource(await pluginFiles(folder)) },
  { path: "docs/configuration.md", text: configurationDoc() },
  { path: "docs/plugins.md", text: pluginsDoc(plugins, await testedSection(plugins, resolve(root, "test/plugins"))) },
  ...alertOutputs(plugins),
  { path: RUNBOOKS, text: runbooksDoc(builtInAlerts(plugins)) },
  { path: "gleaner.example.yaml", text: exampleConfig(plugins) },
  ...dashboardFiles(plugins),
];

if (process.argv.includes("--check")) {
  const stale = await outOfDate(outputs, root);
  for (const path of stale) console.error(`${path} is out of date`);
  if (stale.length > 0) console.error("Run: npm run generate");
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const path of await writeOutputs(outputs, root)) console.log(`wrote ${path}`);
}
