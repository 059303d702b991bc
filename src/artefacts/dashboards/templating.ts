import type { Path } from "../../config/problem.ts";
import { textsIn } from "../document.ts";
import type { Dashboard, Variable } from "./schema.ts";

/** One place where a text refers to a variable. */
export interface Reference {
  readonly name: string;
  /** `${name:sqlstring}` has the format sqlstring. */
  readonly format: string | undefined;
  readonly path: Path;
  /** Where the reference begins in its text. */
  readonly index: number;
  readonly text: string;
}

/** Grafana's own syntax (public/app/features/variables/utils.ts): `$name`, `[[name]]`, `${name.field:format}`. */
const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}/g;

/** What Grafana provides: variables, SQL macros, and what links may say of the value that was clicked. */
const BUILT_IN = [
  ...["__interval", "__interval_ms", "__rate_interval", "__rate_interval_ms", "__range", "__range_s", "__range_ms"],
  ...["__from", "__to", "__dashboard", "__org", "__user", "__timezone", "__name", "timeFilter", "__searchFilter"],
  ...["__all_variables", "__url_time_range", "__data", "__value", "__series", "__field", "__cell"],
];
/** Macros of Grafana's PostgreSQL data source (pkg/tsdb/grafana-postgresql-datasource/macros.go). */
export const SQL_MACROS = [
  ...["__time", "__timeEpoch", "__timeFilter", "__timeFrom", "__timeTo", "__timeGroup", "__timeGroupAlias"],
  ...["__unixEpochFilter", "__unixEpochFrom", "__unixEpochTo", "__unixEpochGroup", "__unixEpochGroupAlias"],
  ...["__unixEpochNanoFilter", "__unixEpochNanoFrom", "__unixEpochNanoTo"],
];
export const PROVIDED: readonly string[] = [...BUILT_IN, ...SQL_MACROS];

/** Every reference in a value. `$1` is no reference: label_replace and renameByRegex mean a group by it. */
export function referencesIn(value: unknown, base: Path = []): Reference[] {
  return [...textsIn(value, base)].flatMap(({ path, text }) =>
    [...text.matchAll(REFERENCE)].flatMap((match) => {
      const name = match[1] ?? match[2] ?? match[4] ?? "";
      if (/^\d+$/.test(name)) return [];
      return [{ name, format: match[3] ?? match[5], path, index: match.index, text }];
    }),
  );
}

/** References of a whole dashboard. What is chosen at first is no text with references: `$__all` is a value there. */
export function referencesOf(dashboard: Dashboard): Reference[] {
  const list = dashboard.templating.list.map((variable) => ({ ...variable, current: undefined, options: undefined }));
  return referencesIn({ ...dashboard, description: undefined, templating: { list } });
}

/** Whether a variable can stand for several values at once. */
export const isMany = (variable: Variable): boolean =>
  "multi" in variable && (variable.multi === true || variable.includeAll === true);

/** The data source variables of a dashboard: name -> type of plugin. */
export function datasourceVariables({ templating }: Dashboard): ReadonlyMap<string, string> {
  return new Map(templating.list.flatMap((v) => (v.type === "datasource" ? [[v.name, v.query] as const] : [])));
}
