// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import type { Dashboard, Panel, RowPanel } from "@grafana/grafana-foundation-sdk/dashboard";
import fc from "fast-check";
import { z } from "zod";
import { dashboardFiles, dashboards } from "../../src/generate/dashboards/index.ts";
import { COLUMNS, idOf, layOut } from "../../src/generate/dashboards/layout.ts";
import type { Tile } from "../../src/generate/dashboards/panels.ts";
import { dedent } from "../../src/generate/dashboards/queries.ts";
import { STATE_CODES, STATE_WORDS } from "../../src/generate/dashboards/states.ts";
import { tiered } from "../../src/generate/dashboards/tiers.ts";
import { loadPlugins } from "../../src/generate/plugins.ts";
import { seconds } from "../../src/model/duration.ts";
import { KIT_STATES, PLUGIN_STATES } from "../../src/model/health.ts";
import { definePlugin, type Plugin } from "../../src/model/plugin.ts";
import { yaml } from "../packaging/files.ts";

const plugins = await loadPlugins(resolve(import.meta.dirname, "../../src/plugins"));
const all = dashboards(plugins);

/** As many units as a screen of 1080 lines shows, with Grafana's own bars. */
const SCREEN = 25;

const isRow = (panel: Panel | RowPanel): panel is RowPanel => panel.type === "row";
const rowsOf = ({ panels = [] }: Dashboard): RowPanel[] => panels.filter(isRow);
const openPanels = ({ panels = [] }: Dashboard): Panel[] => panels.filter((panel) => !isRow(panel)) as Panel[];
const allPanels = (dashboard: Dashboard): Panel[] => [
  ...openPanels(dashboard),
  ...rowsOf(dashboard).flatMap((row) => row.panels),
];
const targetsOf = ({ targets = [] }: Panel) => targets as unknown as Readonly<Record<string, string>>[];
const variablesOf = ({ templating }: Dashboard) => (templating.list ?? []).map(({ name }) => name);

function assertUnique(values: readonly unknown[], what: string): void {
  assert.deepEqual([...new Set(values)], values, `${what} are there once`);
}

/** No two share a cell, and all are within the grid. */
function assertApart(panels: readonly (Panel | RowPanel)[]): void {
  const taken = new Map<string, string>();
  for (const { gridPos, title = "" } of panels) {
    assert.ok(gridPos && gridPos.x >= 0 && gridPos.x + gridPos.w <= COLUMNS, title);
    const { x: left, y: top, w, h } = gridPos;
    for (let x = left; x < left + w; x++)
      for (let y = top; y < top + h; y++) {
        assert.equal(taken.get(`${x} ${y}`), undefined, `${title} lies on another panel`);
        taken.set(`${x} ${y}`, title);
      }
  }
}

describe("the dashboards", () => {
  test("there are seven, and one for each plugin", () => {
    const names = ["fleet", "kit", "airspace", "plugins", "host", "collector", "history"];
    const expected = [...names, ...plugins.map(({ id }) => `plugin-${id}`)].map((name) => `dashboards/${name}.json`);
    assert.deepEqual([...all.keys()], expected);
  });

  test("have uids and titles of their own, that Grafana takes", () => {
    const list = [...all.values()];
    assertUnique(
      list.map(({ title }) => title),
      "titles",
    );
    assertUnique(
      list.map(({ uid }) => uid),
      "uids",
    );
    for (const { uid = "" } of list) assert.match(uid, /^[A-Za-z0-9_-]{1,40}$/);
  });

  test("come out the same each time", async () => {
    const again = dashboardFiles(await loadPlugins(resolve(import.meta.dirname, "../../src/plugins")));
    assert.deepEqual(dashboardFiles(plugins), again);
    for (const { text } of again) assert.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  });

  test("look for the data sources that are provisioned", () => {
    const provisioned = ["prometheus.yaml", "database.yml"].map((file) => {
      const { datasources } = yaml(`provisioning/grafana/datasources/${file}`) as {
        datasources: [{ name: string; uid: string; type: string }];
      };
      return datasources[0];
    });
    for (const dashboard of all.values())
      for (const { type, query, current } of dashboard.templating.list ?? [])
        if (type === "datasource")
          assert.ok(
            provisioned.some((one) => one.type === query && one.uid === current?.value && one.name === current?.text),
            `${query}`,
          );
  });

  for (const [path, dashboard] of all)
    test(`${path}: every panel says what it is, and has a place of its own on one screen`, () => {
      const panels = allPanels(dashboard);
      assertUnique(
        [...panels, ...rowsOf(dashboard)].map(({ id }) => id),
        "ids",
      );
      for (const { title, description, type, targets, fieldConfig } of panels) {
        assert.ok(title && /^[A-Z0-9].*[^.]$/.test(title), title);
        assert.ok(description && /[.!?]$/.test(description), title);
        if (type === "alertlist") continue;
        assert.ok(fieldConfig?.defaults.unit, title);
        assert.ok(fieldConfig?.defaults.noValue, title);
        assert.ok((targets?.length ?? 0) > 0, title);
        assertUnique(
          (targets as unknown as { refId: string }[]).map(({ refId }) => refId),
          "refIds",
        );
      }
      assertApart(dashboard.panels ?? []);
      for (const row of rowsOf(dashboard)) assertApart(row.panels);
      const height = Math.max(...openPanels(dashboard).map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0)));
      assert.ok(height <= SCREEN, `${height} units high`);
      assert.equal(dashboard.editable, false);
    });

  for (const [path, dashboard] of all)
    test(`${path}: queries are held to the reader's choices`, () => {
      for (const panel of allPanels(dashboard))
        for (const { expr, rawSql } of targetsOf(panel)) {
          for (const [, selector] of (expr ?? "").matchAll(/\{([^}]*)\}/g))
            assert.match(selector ?? "", /^job=~"\$job", instance=~"\$instance"/, `${panel.title}: ${expr}`);
          if (expr === undefined)
            assert.match(rawSql ?? "", /limit|group by|from tracks\s*$/, `${panel.title}: ${rawSql}`);
          // Grafana takes every `$name(…)` for a macro, and reads its arguments up to the first bracket.
          for (const [, name, args] of (rawSql ?? "").matchAll(/\$(\w+)\(([^)]*)\)/g)) {
            assert.match(name ?? "", /^__time(Filter|From|To)$/);
            assert.doesNotMatch(args ?? "", /\(/);
          }
        }
    });

  for (const [path, dashboard] of all)
    test(`${path}: links hand over only variables that both ends have`, () => {
      const byUid = new Map([...all.values()].map((one) => [one.uid, one]));
      for (const [, uid = "", query = ""] of JSON.stringify(dashboard).matchAll(/"\/d\/([^?"]+)\?([^"]*)"/g)) {
        const targets = uid.includes("$")
          ? plugins.map(({ id }) => byUid.get(`gleaner-plugin-${id}`))
          : [byUid.get(uid)];
        for (const target of targets) {
          assert.ok(target, uid);
          const carried = [...query.matchAll(/\$\{(\w+):queryparam\}/g)].map(([, name = ""]) => name);
          const own = [...query.matchAll(/var-(\w+)=/g)].map(([, name = ""]) => name);
          for (const name of carried) assert.ok(variablesOf(dashboard).includes(name), `${path} has no ${name}`);
          for (const name of [...carried, ...own])
            assert.ok(variablesOf(target).includes(name), `${uid} has no ${name}`);
          assert.ok(query.endsWith("${__url_time_range}"), query);
        }
      }
    });
});

describe("a plugin's dashboard", () => {
  /** One metric of each sort. */
  const metrics = {
    things_total: { help: "Things counted.", type: "counter", labels: ["kind"], maxSeries: 4 },
    size_bytes: {
      help: "How large it is",
      unit: "bytes",
      labels: ["device", "job"],
      maxSeries: 100,
    },
    used_ratio: { help: "Share in use.", unit: "ratio" },
    ready: { help: "Whether it is ready." },
    boot_time_seconds: { help: "When it started, as a Unix time.", unit: "seconds" },
    about_info: { help: "What it is; always 1.", unit: "info", labels: ["version"], maxSeries: 2 },
  } as const;
  const sample = definePlugin({
    ...{ id: "sample", title: "Sample", summary: "A sample.", category: "custom", version: "1.0.0" },
    enabledByDefault: true,
    config: z.strictObject({}),
    metrics,
    jobs: { look: { summary: "Looks.", every: seconds(60), collect: async () => ({ samples: [] }) } },
  }) as Plugin;
  const panelsOf = (plugin: Plugin) => {
    const dashboard = dashboards([plugin]).get(`dashboards/plugin-${plugin.id}.json`);
    assert.ok(dashboard);
    return allPanels(dashboard);
  };
  const panelOf = (title: string, plugin = sample) => {
    const panel = panelsOf(plugin).find((one) => one.title === title);
    assert.ok(panel, title);
    return { ...panel, expr: targetsOf(panel)[0]?.["expr"] ?? "", unit: panel.fieldConfig?.defaults.unit };
  };

  test("has a panel for every metric of every plugin", () => {
    for (const plugin of plugins) {
      const text = JSON.stringify(panelsOf(plugin).flatMap(targetsOf));
      for (const key of Object.keys(plugin.metrics)) assert.match(text, new RegExp(`gleaner_${key}\\{`));
    }
  });

  test("shows a counter as its rate, by its labels", () => {
    const { expr, unit } = panelOf("Things");
    const selector = 'gleaner_things_total{job=~"$job", instance=~"$instance", target=~"$target"}';
    assert.equal(expr, `sum by (target, kind) (rate(${selector}[$__rate_interval]))`);
    assert.equal(unit, "cps");
  });

  test("cuts a metric of many series to its largest, and calls a label `job` as Prometheus will", () => {
    const { expr, unit, description, targets } = panelOf("Size");
    assert.match(
      expr,
      /^max by \(target, device, exported_job\) .* and topk\(12, max by \(target, device, exported_job\) /,
    );
    assert.match(JSON.stringify(targets), /\{\{device\}\} \{\{exported_job\}\} \{\{target\}\}/);
    assert.equal(unit, "bytes");
    assert.equal(description, "How large it is. The 12 largest of the time range.");
  });

  test("shows shares from nought to one, yes and no as words, moments as times, and descriptions as a table", () => {
    const used = panelOf("Used").fieldConfig?.defaults;
    assert.deepEqual([used?.unit, used?.min, used?.max], ["percentunit", 0, 1]);
    const ready = panelOf("Ready");
    assert.equal(ready.type, "state-timeline");
    assert.match(
      JSON.stringify(ready.fieldConfig?.defaults.mappings),
      /"text":"yes".*"text":"no"|"text":"no".*"text":"yes"/,
    );
    assert.equal(panelOf("Boot time").unit, "dateTimeFromNow");
    assert.equal(panelOf("About").type, "table");
  });

  test("draws the thresholds of a metric's own alerts", () => {
    const disk = plugins.find(({ id }) => id === "disk_monitor");
    assert.ok(disk);
    const { thresholds, custom } = panelOf("Filesystem used", disk).fieldConfig?.defaults ?? {};
    assert.deepEqual(
      thresholds?.steps.map(({ value }) => value),
      [null, 0.8, 0.95],
    );
    assert.deepEqual(custom.thresholdsStyle, { mode: "dashed" });
  });

  test("knows a kit's series by its kit", () => {
    const kits = plugins.find(({ health }) => health === "kit");
    assert.ok(kits);
    assert.match(panelOf("Kit uptime", kits).expr, /^max by \(kit\) \(gleaner_kit_uptime_seconds\{.*kit=~"\$kit"\}\)$/);
  });
});

test("every state has a word and a colour, and a number of its own", () => {
  const states = [...new Set([...KIT_STATES, ...PLUGIN_STATES])];
  const codes = Object.values(STATE_CODES.options);
  assert.deepEqual(codes.map(({ text }) => text).sort(), [...states].sort());
  for (const { text, color } of [...codes, ...Object.values(STATE_WORDS.options)]) assert.ok(text && color);
});

test("any tiles are laid out apart, in their order", () => {
  const tile = fc.record({ w: fc.integer({ min: 1, max: COLUMNS }), h: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(fc.array(tile, { maxLength: 30 }), (sizes) => {
      const tiles: Tile[] = sizes.map((size, index) => ({ ...size, panel: { type: "stat", title: `${index}` } }));
      const open = layOut(tiles, [{ title: "folded", tiles }]);
      assertApart(open);
      assertApart(open.filter(isRow).flatMap((row) => row.panels));
      const places = open.map(({ gridPos }) => (gridPos?.y ?? 0) * COLUMNS + (gridPos?.x ?? 0));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    }),
  );
});

test("a panel's id stays when others come and go", () => {
  assert.equal(idOf("Kits"), idOf("Kits"));
  fc.assert(fc.property(fc.string(), (title) => idOf(title) >= 1 && idOf(title) < 1e6));
});

test("SQL loses the indentation of its surroundings only", () => {
  assert.equal(dedent("\n    select 1\n      from x\n\n    limit 1\n  "), "select 1\n  from x\n\nlimit 1");
});

test("SQL of three tiers reads each stretch of time once", () => {
  const part = (table: string) => ({ table, time: table === "raw" ? "time" : "bucket", values: ["count(*)"] });
  const sql = tiered({ raw: part("raw"), hourly: part("hourly"), daily: part("daily"), values: { n: "sum" } });
  const bounds = [...sql.matchAll(/(?:bucket|time) (>=|<) \(select (\w+_end)/g)].map(
    ([, sign, bound]) => `${sign} ${bound}`,
  );
  assert.deepEqual(bounds, ["< days_end", ">= days_end", "< hours_end", ">= hours_end"]);
});
