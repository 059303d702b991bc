import { suggestion } from "../../config/closest.ts";
import { type Finding, textsIn } from "../document.ts";
import type { DashboardRule, World } from "./rule.ts";
import { WITHOUT_QUERIES } from "./rule.ts";
import type { CheckedDashboard } from "./structure.ts";
import { datasourceVariables, PROVIDED, referencesIn, referencesOf } from "./templating.ts";

/** Newest that Grafana 9.4 to 13 all open: older ones migrate upwards, never down. */
const SCHEMA_VERSIONS = { from: 36, to: 41 };
/** Data sources that every Grafana has. */
const OWN_SOURCES = ["grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --"];
/** Refresh a variable when the time range changes. */
const ON_TIME_CHANGE = 2;

function settings({ dashboard }: CheckedDashboard): Finding[] {
  const { schemaVersion: version, refresh } = dashboard;
  const { from, to } = SCHEMA_VERSIONS;
  return [
    ...(version >= from && version <= to
      ? []
      : [{ path: ["schemaVersion"], message: `expected ${from} to ${to}, which Grafana 9.4 to 13 all open` }]),
    ...(refresh === undefined ? [{ path: ["refresh"], message: "expected how often to refresh, such as 30s" }] : []),
  ];
}

const uneditable = ({ dashboard }: CheckedDashboard): Finding[] =>
  dashboard.editable === false
    ? []
    : [{ path: ["editable"], message: "expected false: what is changed in Grafana is lost with the next file" }];

/** The first data source variable of a dashboard. */
function templateDatasource({ dashboard }: CheckedDashboard): Finding[] {
  const { list } = dashboard.templating;
  const index = list.findIndex(({ type }) => type === "datasource");
  const variable = list[index];
  if (!variable)
    return [{ path: ["templating", "list"], message: "expected a variable of type datasource to choose it by" }];
  const wrong = [
    ...(variable.name === "datasource" ? [] : [["name", "datasource"]]),
    ...(variable.label === "Data source" ? [] : [["label", "Data source"]]),
  ] as [string, string][];
  return wrong.map(([key, expected]) => ({
    path: ["templating", "list", index, key],
    message: `expected ${JSON.stringify(expected)} for the first variable of type datasource`,
  }));
}

/** Chosen among several collectors: all of them to begin with, and the values found anew with the time range. */
function choice(name: "job" | "instance", label: string): DashboardRule["check"] {
  return ({ dashboard, panels }) => {
    if (!panels.some(({ queries }) => queries.some(({ language }) => language === "promql"))) return [];
    const { list } = dashboard.templating;
    const index = list.findIndex((variable) => variable.name === name);
    const variable = list[index];
    if (variable?.type !== "query")
      return [{ path: ["templating", "list"], message: `expected a variable ${name} of type query` }];
    const expected = { label, multi: true, includeAll: true, allValue: ".+" } as const;
    return Object.entries(expected)
      .filter(([key, value]) => variable[key as keyof typeof expected] !== value)
      .map(([key, value]) => ({
        path: ["templating", "list", index, key],
        message: `expected ${JSON.stringify(value)} for the variable ${name}`,
      }));
  };
}

/** Every data source is one of the variables, with their type, or one that is provisioned here. */
function datasources({ dashboard, panels }: CheckedDashboard, { datasources: fixed }: World): Finding[] {
  const variables = datasourceVariables(dashboard);
  const missing = panels
    .filter(({ panel }) => !WITHOUT_QUERIES.includes(panel.type) && !panel.datasource)
    .map(({ path }) => ({ path: [...path, "datasource"], message: "expected a data source" }));
  const wrong = [...datasourceRefs(dashboard)].flatMap(({ path, ref }) => {
    const name = /^\$\{?(\w+)\}?$/.exec(ref.uid)?.[1];
    if (name === undefined) {
      const known = OWN_SOURCES.includes(ref.uid) || fixed === undefined || fixed.has(ref.uid);
      const message = `expected a variable of type datasource, or one of ${[...(fixed?.keys() ?? [])].join(", ")}`;
      return known ? [] : [{ path: [...path, "uid"], message }];
    }
    const type = variables.get(name);
    if (type === undefined)
      return [{ path: [...path, "uid"], message: `there is no variable ${name} of type datasource` }];
    return ref.type === type
      ? []
      : [{ path: [...path, "type"], message: `expected ${type}, which ${name} chooses from` }];
  });
  return [...missing, ...wrong];
}

interface DatasourceRef {
  readonly uid: string;
  readonly type?: string;
}

function* datasourceRefs(
  value: unknown,
  path: readonly PropertyKey[] = [],
): Generator<{ path: PropertyKey[]; ref: DatasourceRef }> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    const isRef = key === "datasource" && typeof inner === "object" && inner !== null && "uid" in inner;
    if (isRef) yield { path: at, ref: inner as DatasourceRef };
    else yield* datasourceRefs(inner, at);
  }
}

/** Every variable that is used exists, and every one that exists is used. */
function variables({ dashboard }: CheckedDashboard): Finding[] {
  const { list } = dashboard.templating;
  const names = list.map(({ name }) => name);
  // `$name(` is a macro, about which there is a rule of its own.
  const used = referencesOf(dashboard).filter(({ name, text, index }) => text[index + name.length + 1] !== "(");
  const unknown = used
    .filter(({ name }) => !names.includes(name) && !PROVIDED.includes(name))
    .map(({ name, path }) => ({
      path,
      message: `there is no variable $${name}${suggestion(name, [...names, ...PROVIDED])}`,
    }));
  const idle = list.flatMap(({ name }, index) =>
    used.some((reference) => reference.name === name)
      ? []
      : [{ path: ["templating", "list", index, "name"], message: `no panel uses $${name}` }],
  );
  const twice = list.flatMap(({ name }, index) =>
    names.indexOf(name) === index
      ? []
      : [{ path: ["templating", "list", index, "name"], message: "this name is taken" }],
  );
  return [...unknown, ...idle, ...twice];
}

function refreshed({ dashboard }: CheckedDashboard): Finding[] {
  return dashboard.templating.list.flatMap((variable, index) =>
    variable.type === "query" && variable.refresh !== ON_TIME_CHANGE
      ? [
          {
            path: ["templating", "list", index, "refresh"],
            message: "expected 2: with the time range the values change",
          },
        ]
      : [],
  );
}

const LABEL_QUERY = /^(label_names\(|label_values\(|metrics\(|query_result\().*\)$/s;

/** A variable's query is one of the functions that Grafana's Prometheus data source has. */
function labelQueries({ dashboard }: CheckedDashboard): Finding[] {
  const prometheus = [...datasourceVariables(dashboard)]
    .filter(([, type]) => type === "prometheus")
    .map(([name]) => name);
  return dashboard.templating.list.flatMap((variable, index) => {
    if (
      variable.type !== "query" ||
      !prometheus.some((name) => referencesIn(variable.datasource.uid)[0]?.name === name)
    )
      return [];
    const query = typeof variable.query === "string" ? variable.query : variable.query["query"];
    if (typeof query === "string" && LABEL_QUERY.test(query.trim())) return [];
    const message = "expected label_values(metric, label) or another query for a variable";
    return [{ path: ["templating", "list", index, "query"], message }];
  });
}

/** A link to a dashboard finds it, and hands over only variables that it has. */
function links({ dashboard }: CheckedDashboard, { dashboards }: World): Finding[] {
  const byTag = (dashboard.links ?? []).flatMap(({ type, tags = [] }, index) =>
    type !== "dashboards" ||
    [...dashboards.values()].some((one) => !one || tags.every((tag) => one.dashboard.tags?.includes(tag)))
      ? []
      : [{ path: ["links", index, "tags"], message: "no dashboard has these tags" }],
  );
  const byUid = [...textsIn(dashboard)].flatMap(({ path, text }): Finding[] => {
    if (path.at(-1) !== "url") return [];
    const [, uid, more] = /^(?:\$\{?\w+\}?)?\/?d\/([\w-]+)(\$)?/.exec(text) ?? [];
    if (uid === undefined) return [];
    // The rest of the uid is a value that was clicked: /d/gleaner-plugin-${__data.fields.Plugin}.
    if (more !== undefined && [...dashboards.keys()].some((one) => one.startsWith(uid))) return [];
    const target = dashboards.get(uid)?.dashboard;
    if (!target && dashboards.has(uid)) return [];
    if (!target)
      return [{ path, message: `there is no dashboard with the uid ${uid}${suggestion(uid, [...dashboards.keys()])}` }];
    const has = target.templating.list.map(({ name }) => name);
    return [...text.matchAll(/[?&]var-(\w+)=/g)]
      .filter(([, name = ""]) => !has.includes(name))
      .map(([, name = ""]) => ({
        path,
        message: `the dashboard ${uid} has no variable ${name}${suggestion(name, has)}`,
      }));
  });
  return [...byTag, ...byUid];
}

export const DASHBOARD_RULES: readonly DashboardRule[] = [
  { id: "dashboard-settings", check: settings },
  { id: "uneditable-dashboard-rule", check: uneditable },
  { id: "template-datasource-rule", check: templateDatasource },
  { id: "template-job-rule", check: choice("job", "Job") },
  { id: "template-instance-rule", check: choice("instance", "Instance") },
  { id: "panel-datasource-rule", check: datasources },
  { id: "template-variable", check: variables },
  { id: "template-on-time-change-reload-rule", check: refreshed },
  { id: "template-label-promql-rule", check: labelQueries },
  { id: "dashboard-link", check: links },
];
