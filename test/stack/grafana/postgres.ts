import type pg from "pg";
import { types } from "pg";
import type { Query } from "../../../src/artefacts/dashboards/queries.ts";
import type { Field, Frame } from "./frames.ts";
import { durationText, intervalOf, type View } from "./range.ts";
import { type Chosen, inSql, interpolate } from "./variables.ts";

/** Numbers that node-postgres gives as text, for their size. */
const NUMBERS = [types.builtins.INT8, types.builtins.NUMERIC] as number[];
const NUMERIC = [
  types.builtins.INT2,
  types.builtins.INT4,
  types.builtins.FLOAT4,
  types.builtins.FLOAT8,
  ...NUMBERS,
] as number[];
const TIMES = [types.builtins.TIMESTAMP, types.builtins.TIMESTAMPTZ, types.builtins.DATE] as number[];

/** What Grafana's PostgreSQL plugin knows of the query that it expands a macro in. */
interface Macros {
  readonly view: View;
  readonly timescaledb: boolean;
}

/** What Grafana itself knows: the time range, and the time zone of the user. */
const ownVariables = ({ from, to }: View): [string, string][] => [
  ["__from", String(from)],
  ["__to", String(to)],
  ["__timezone", "Europe/Berlin"],
];

const iso = (ms: number) => `'${new Date(ms).toISOString()}'`;

/**
 * Puts variables into SQL and expands the macros, in the order in which Grafana does it: the page puts variables in, the
 * server the interval, and then every `$name(…)` up to the first closing parenthesis (its macros.go).
 * @throws {Error} for a macro that Grafana does not know
 */
export function expandSql(sql: string, chosen: Chosen, view: View, interval: number, timescaledb: boolean): string {
  const withVariables = interpolate(sql, new Map([...ownVariables(view), ...chosen]), inSql)
    .replaceAll("$__interval_ms", String(interval))
    .replaceAll("$__interval", durationText(interval))
    .replaceAll("$__unixEpochFrom()", String(Math.floor(view.from / 1_000)))
    .replaceAll("$__unixEpochTo()", String(Math.floor(view.to / 1_000)));
  return withVariables.replaceAll(/\$([_a-zA-Z0-9]+)\(([^)]*)\)/g, (match, name: string, list: string, at: number) => {
    const args = list.split(",").map((arg) => arg.trim());
    const isOld = name === "__timeGroup" && withVariables[at + match.length] === ",";
    return macro(isOld ? "__timeGroupAlias" : name, args, { view, timescaledb });
  });
}

function macro(name: string, args: readonly string[], context: Macros): string {
  const [column = "", width = ""] = args;
  const { from, to } = context.view;
  const [fromS, toS] = [Math.floor(from / 1_000), Math.floor(to / 1_000)];
  switch (name) {
    case "__time":
      return `${column} AS "time"`;
    case "__timeEpoch":
      return `extract(epoch from ${column}) as "time"`;
    case "__timeFilter":
      return `${column} BETWEEN ${iso(from)} AND ${iso(to)}`;
    case "__timeFrom":
      return iso(from);
    case "__timeTo":
      return iso(to);
    case "__timeGroup":
      return timeGroup(column, seconds(width), context.timescaledb);
    case "__timeGroupAlias":
      return `${timeGroup(column, seconds(width), context.timescaledb)} AS "time"`;
    case "__unixEpochFilter":
      return `${column} >= ${fromS} AND ${column} <= ${toS}`;
    case "__unixEpochGroup":
      return `floor((${column})/${seconds(width)})*${seconds(width)}`;
    case "__unixEpochGroupAlias":
      return `floor((${column})/${seconds(width)})*${seconds(width)} AS "time"`;
    default:
      throw new Error(`unknown macro ${JSON.stringify(name)}`);
  }
}

const timeGroup = (column: string, width: number, timescaledb: boolean) =>
  timescaledb
    ? `time_bucket('${width.toFixed(3)}s',${column})`
    : `floor(extract(epoch from ${column})/${width})*${width}`;

function seconds(width: string): number {
  const [, n, unit = ""] = /^'?(\d+)(ms|s|m|h|d|w)'?$/.exec(width) ?? [];
  if (n === undefined) throw new Error(`error parsing interval ${width}`);
  return Number(n) * ({ ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }[unit] ?? Number.NaN);
}

/** Runs a panel's query as Grafana does. */
export async function runSql(
  client: pg.Client,
  query: Pick<Query, "refId" | "text" | "format">,
  { chosen, view, points, least }: { chosen: Chosen; view: View; points: number; least?: number | undefined },
): Promise<{ readonly frames: readonly Frame[]; readonly rows: number; readonly text: string }> {
  const text = expandSql(query.text, chosen, view, intervalOf(view, points, least), false);
  const result = await client.query({ text, rowMode: "array" }).catch((error: Error) => {
    throw new Error(`${error.message}: ${text}`, { cause: error });
  });
  const fields = result.fields.map(({ name, dataTypeID }, column): Field => {
    const type = typeOf(name, dataTypeID, query.format);
    return { name, type, labels: {}, values: result.rows.map((row) => cell(row[column], type)) };
  });
  const frame = { refId: query.refId, fields };
  return { frames: query.format === "time_series" ? named(frame) : [frame], rows: result.rows.length, text };
}

function typeOf(name: string, oid: number, format: string): Field["type"] {
  if (TIMES.includes(oid) || (format === "time_series" && name === "time")) return "time";
  if (NUMERIC.includes(oid)) return "number";
  return oid === types.builtins.BOOL ? "boolean" : "string";
}

function cell(value: unknown, type: Field["type"]): unknown {
  if (value === null) return null;
  // Times out of $__timeGroup are seconds.
  if (type === "time") return value instanceof Date ? value.getTime() : Number(value) * 1_000;
  return type === "number" ? Number(value) : value;
}

/** Rows in time-series format with a text column become a series for each of its values (Grafana's long to wide). */
function named({ refId, fields }: Frame): Frame[] {
  const time = fields.find(({ type }) => type === "time");
  const names = fields.filter(({ type }) => type === "string");
  const numbers = fields.filter(({ type }) => type === "number");
  if (!time) throw new Error(`no time column among ${fields.map(({ name }) => name).join(", ")}`);
  const keyOf = (row: number) => names.map(({ values }) => String(values[row])).join(" ");
  const groups = Map.groupBy(time.values.keys(), keyOf);
  return [...groups].flatMap(([key, rows]) =>
    numbers.map((number) => {
      const pick = (field: Field): unknown[] => rows.map((row) => field.values[row]);
      // A column called `metric` names the series by itself; others beside the number's name.
      const shownAs = key === "" ? number.name : numbers.length === 1 ? key : `${number.name} ${key}`;
      return {
        refId,
        fields: [
          { ...time, values: pick(time) },
          { ...number, values: pick(number), shownAs },
        ],
      };
    }),
  );
}
