import type { Dashboard, Variable } from "../../../src/artefacts/dashboards/schema.ts";
import { selectorsOf } from "../../../src/artefacts/promql.ts";

/** What a variable stands for: one value, or several. */
export type Value = string | readonly string[];

/** Values of variables by name. */
export type Chosen = ReadonlyMap<string, Value>;

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}/g;

const sqlString = (value: string) => `'${value.replaceAll("'", "''")}'`;
const escapeRegex = (value: string) => value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, "\\$&").replaceAll("\\", "\\\\");
const list = (value: Value): readonly string[] => (typeof value === "string" ? [value] : value);

/** Grafana's formats (templating/formatRegistry) as far as dashboards here use them. */
const FORMATS: Readonly<Record<string, (value: Value) => string>> = {
  sqlstring: (value) => list(value).map(sqlString).join(","),
  singlequote: (value) =>
    list(value)
      .map((one) => `'${one.replaceAll("'", "\\'")}'`)
      .join(","),
  csv: (value) => list(value).join(","),
  raw: (value) => list(value).join(","),
  pipe: (value) => list(value).join("|"),
  text: (value) => list(value).join(" + "),
};

/** Puts variables into a text. `format` is used where the reference names none. References to nothing known stay. */
export function interpolate(text: string, chosen: Chosen, format: (value: Value) => string): string {
  return text.replaceAll(REFERENCE, (match, ...groups: (string | undefined)[]) => {
    const name = groups[0] ?? groups[1] ?? groups[3] ?? "";
    const value = chosen.get(name);
    if (value === undefined) return match;
    const asked = groups[2] ?? groups[4];
    const formatted = asked === undefined ? format : FORMATS[asked];
    if (!formatted) throw new Error(`the format ${asked} of ${match} is not known here`);
    return formatted(value);
  });
}

/** As Grafana's Prometheus data source does: one value with its regular expression signs escaped, several as `(a|b)`. */
export const inPromql = (value: Value): string =>
  typeof value === "string"
    ? value
    : value.length === 1
      ? escapeRegex(value[0] ?? "")
      : `(${value.map(escapeRegex).join("|")})`;

/** As Grafana's SQL data sources do: one value with quotes doubled, several in quotes. */
export const inSql = (value: Value): string =>
  typeof value === "string" ? value.replaceAll("'", "''") : value.map(sqlString).join(",");

/** For titles. */
export const asText = (value: Value): string => list(value).join(" + ");

/** Where values of variables come from. */
export interface ValueSources {
  /** Values of a label among the series of a selector. */
  labelValues(selector: string, label: string): Promise<string[]>;
  /** First column of a query, or the one called `__value`. */
  sqlValues(sql: string): Promise<string[]>;
}

/**
 * Chooses what a dashboard shows when it is opened: all where that can be chosen, else the first value.
 * @param preferred values to take where a variable has them
 * @returns also the variables whose queries find no values: every panel with one of them is empty
 */
export async function chooseAll(
  dashboard: Dashboard,
  sources: ValueSources,
  preferred: Chosen,
): Promise<{ readonly chosen: Chosen; readonly empty: readonly string[] }> {
  const chosen = new Map<string, Value>();
  const empty: string[] = [];
  for (const variable of dashboard.templating.list) {
    const value = await choose(variable, chosen, sources, preferred.get(variable.name));
    if (value !== undefined) chosen.set(variable.name, value);
    if (Array.isArray(value) && value.length === 0) empty.push(variable.name);
  }
  return { chosen, empty };
}

async function choose(variable: Variable, chosen: Chosen, sources: ValueSources, preferred: Value | undefined) {
  switch (variable.type) {
    case "datasource":
      return undefined;
    case "constant":
    case "textbox":
      return variable.query;
    case "custom":
    case "interval":
      return currentOf(variable) ?? variable.query.split(",")[0]?.trim();
    case "query": {
      const query = typeof variable.query === "string" ? variable.query : String(variable.query["query"]);
      const values = await valuesOf(query, chosen, sources);
      if (values.length === 0) return [];
      if (variable.includeAll) return variable.allValue || values;
      const one = values.find((value) => value === preferred) ?? values[0];
      return variable.multi ? [one ?? ""] : one;
    }
  }
}

function currentOf({ current }: Variable): string | undefined {
  const value = current && "value" in current ? current.value : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function valuesOf(query: string, chosen: Chosen, sources: ValueSources): Promise<string[]> {
  const label = /^label_values\((?:(.+),)?\s*(\w+)\)$/s.exec(query.trim());
  if (!label) return await sources.sqlValues(interpolate(query, chosen, inSql));
  const selector = interpolate(label[1] ?? "", chosen, inPromql).trim();
  if (selectorsOf(selector).length !== 1) throw new Error(`expected one selector in ${query}`);
  return await sources.labelValues(selector, label[2] ?? "");
}
