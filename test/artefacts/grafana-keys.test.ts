// The validator's own schemas against the types that Grafana publishes: a key that Grafana does not know must not pass.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { z } from "zod";
import { dashboardLink, fieldDefaults, gridPos } from "../../src/artefacts/dashboards/fields.ts";
import { PANEL_TYPES } from "../../src/artefacts/dashboards/panels.ts";
import { promTarget } from "../../src/artefacts/dashboards/queries.ts";
import { dashboardSchema, panelSchema, rowSchema } from "../../src/artefacts/dashboards/schema.ts";
import { ROOT } from "../packaging/files.ts";

const SDK = join(ROOT, "node_modules/@grafana/grafana-foundation-sdk/dist");
const declarations = (module: string) => readFileSync(join(SDK, module, "types.gen.d.ts"), "utf8");

/** Keys of an interface in a module's declarations; an alias of one in `common` is followed. */
function keysOf(module: string, name: string): string[] {
  const text = declarations(module);
  const alias = new RegExp(`^export type ${name} = common\\.(\\w+);`, "m").exec(text)?.[1];
  if (alias !== undefined) return keysOf("common", alias);
  const body = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, "ms").exec(text)?.[1] ?? "";
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, key = ""]) => key);
}

const unknown = (schema: z.ZodObject, known: readonly string[]) =>
  Object.keys(schema.shape).filter((key) => !known.includes(key));

/** Our panel types that the published types do not have. */
const UNPUBLISHED = ["alertlist"];

describe("the validator's schemas", () => {
  const shared: readonly (readonly [string, z.ZodObject, string, string])[] = [
    ["a dashboard", dashboardSchema, "dashboard", "Dashboard"],
    ["a panel", panelSchema, "dashboard", "Panel"],
    ["a place", gridPos, "dashboard", "GridPos"],
    ["a link", dashboardLink, "dashboard", "DashboardLink"],
    ["field defaults", fieldDefaults, "dashboard", "FieldConfig"],
    ["a Prometheus query", promTarget, "prometheus", "Dataquery"],
  ];
  for (const [what, schema, module, name] of shared)
    it(`know no key of ${what} that Grafana does not`, () => {
      assert.deepEqual(unknown(schema, keysOf(module, name)), []);
    });

  it("know a row as a panel that is collapsed or not", () => {
    const known = [...keysOf("dashboard", "RowPanel"), ...keysOf("dashboard", "Panel")];
    assert.deepEqual(unknown(rowSchema, known), []);
  });

  for (const [type, { options, custom }] of Object.entries(PANEL_TYPES))
    if (!UNPUBLISHED.includes(type))
      it(`know no option of ${type} that Grafana does not`, () => {
        const module = type.replaceAll("-", "");
        assert.deepEqual(unknown(options, keysOf(module, "Options")), []);
        if (custom && Object.keys(custom.shape).length > 0) {
          // A map's fields have what can be hidden, like all fields that are drawn.
          const known = type === "geomap" ? keysOf("common", "HideableFieldConfig") : keysOf(module, "FieldConfig");
          assert.deepEqual(unknown(custom, known), []);
        }
      });
});
