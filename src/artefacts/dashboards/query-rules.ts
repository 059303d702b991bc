import type { Finding } from "../document.ts";
import { selectorsOf } from "../promql.ts";
import type { Query } from "./queries.ts";
import type { DashboardRule } from "./rule.ts";
import type { Dashboard } from "./schema.ts";
import type { CheckedDashboard } from "./structure.ts";
import { isMany, type Reference, referencesIn, SQL_MACROS } from "./templating.ts";

const eachQuery = (language: Query["language"], check: (query: Query, dashboard: Dashboard) => readonly string[]) =>
  (({ panels, dashboard }: CheckedDashboard): Finding[] =>
    panels
      .flatMap(({ queries }) => queries)
      .filter((query) => query.language === language)
      .flatMap((query) =>
        check(query, dashboard).map((message) => ({ path: query.path, message })),
      )) satisfies DashboardRule["check"];

/** A fixed range is empty as soon as it is shorter than two scrapes, and it misses peaks when the step is longer. */
function rateInterval({ text }: Query): string[] {
  return selectorsOf(text)
    .filter(({ calls, range }) => ["rate", "irate"].includes(calls.at(-1) ?? "") && range !== "$__rate_interval")
    .map(({ metric, calls, range }) => `expected ${calls.at(-1)}(${metric}[$__rate_interval]), got [${range ?? ""}]`);
}

/** Without these matchers a panel adds up what several collectors, or two scrapes of one, say of the same thing. */
const chosen = (label: "job" | "instance") =>
  eachQuery("promql", ({ text }) =>
    selectorsOf(text)
      .filter(
        ({ matchers }) =>
          !matchers.some((one) => one.label === label && one.operator === "=~" && one.value === `$${label}`),
      )
      .map(({ metric }) => `expected ${metric}{${label}=~"$${label}", …}`),
  );

/** What may be done with a counter. Its bare value says only when the process was started. */
const COUNTS = ["rate", "irate", "increase", "absent", "absent_over_time", "resets"];

function counters({ text }: Query): string[] {
  return selectorsOf(text)
    .filter(({ metric, calls }) => metric.endsWith("_total") && !COUNTS.includes(calls.at(-1) ?? ""))
    .map(({ metric }) => `expected the counter ${metric} within rate() or increase()`);
}

/** `kit="$kit"` finds nothing as soon as two are chosen. */
function manyInPromql({ text }: Query, { templating }: Dashboard): string[] {
  const many = new Set(templating.list.filter(isMany).map(({ name }) => name));
  return selectorsOf(text).flatMap(({ matchers }) =>
    matchers
      .filter(({ operator, value }) => ["=", "!="].includes(operator) && namesIn(value).some((name) => many.has(name)))
      .map(({ label, operator }) => `expected ${label}${operator === "=" ? "=~" : "!~"}: the variable can be several`),
  );
}

const namesIn = (text: string) => referencesIn(text).map(({ name }) => name);

/** How a variable gets into SQL: several only as a quoted list, one in quotes or quoted by Grafana. */
function variablesInSql({ text }: Query, { templating }: Dashboard): string[] {
  return referencesIn(text).flatMap((reference) => {
    const variable = templating.list.find(({ name }) => name === reference.name);
    if (!variable || variable.type === "datasource" || variable.type === "interval") return [];
    const quoted = isQuoted(reference);
    const isList = reference.format === "sqlstring" || reference.format === "singlequote";
    const name = variable.name;
    if (isMany(variable) && "allValue" in variable && variable.allValue)
      return [`${name} has an allValue, which arrives in SQL as it is: give SQL a variable without one`];
    if (isList && quoted) return [`expected no quotes around \${${name}:${reference.format}}: it brings its own`];
    if (isMany(variable) && !isList) return [`expected in (\${${name}:sqlstring}): the variable can be several`];
    if (!isList && !quoted && reference.format !== "raw")
      return [`expected \${${name}:sqlstring}: without quotes the value is SQL`];
    return [];
  });
}

/** Whether the reference stands in a text of single quotes. */
const isQuoted = ({ text, index }: Reference) => text.slice(0, index).split("'").length % 2 === 0;

/** Every `$name(…)` is a macro to Grafana's PostgreSQL data source; it reads arguments up to the first `)`. */
function macros({ text }: Query): string[] {
  return [...text.matchAll(/\$(\w+)\(([^)]*)\)/g)].flatMap(([, name = "", args = ""]) => {
    if (!SQL_MACROS.includes(name)) return [`Grafana has no SQL macro $${name}()`];
    return args.includes("(") ? [`expected no parentheses in the arguments of $${name}(): it ends at the first )`] : [];
  });
}

/** Without a bound on time the whole table is read, whatever time range the user has chosen. */
function timeBound({ text, format }: Query): string[] {
  const bounded = /\$__(timeFilter|timeFrom|timeTo|unixEpoch\w*)\b|\$\{?__(from|to)\b/.test(text);
  return format !== "time_series" || bounded ? [] : ["expected $__timeFilter(time) or another bound on time"];
}

export const QUERY_RULES: readonly DashboardRule[] = [
  { id: "target-job-rule", check: chosen("job") },
  { id: "target-instance-rule", check: chosen("instance") },
  { id: "target-rate-interval-rule", check: eachQuery("promql", rateInterval) },
  { id: "target-counter-agg-rule", check: eachQuery("promql", counters) },
  { id: "promql-several-values", check: eachQuery("promql", manyInPromql) },
  { id: "sql-variable", check: eachQuery("sql", variablesInSql) },
  { id: "sql-macro", check: eachQuery("sql", macros) },
  { id: "sql-time-bound", check: eachQuery("sql", timeBound) },
];
