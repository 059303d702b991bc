import type pg from "pg";
import type { CheckedDashboard, PlacedPanel } from "../../../src/artefacts/dashboards/structure.ts";
import { promMs } from "../../../src/artefacts/durations.ts";
import { type Frame, hasValue, shownName } from "./frames.ts";
import { runSql } from "./postgres.ts";
import { type Prometheus, runPromql } from "./prometheus.ts";
import { FULL_WIDTH, type View } from "./range.ts";
import { transform } from "./transform.ts";
import type { Chosen } from "./variables.ts";

/** Where panels get their data from. */
export interface Sources {
  readonly prometheus: Prometheus;
  /** Connected as the role that Grafana has. */
  readonly database: pg.Client;
}

/** What a panel shows, and what is wrong with it. */
export interface Shown {
  readonly frames: readonly Frame[];
  readonly queries: number;
  /** Rows or series that the queries brought, by refId. */
  readonly rows: Readonly<Record<string, number>>;
  /** Queries that brought nothing, and those of them that are SQL. */
  readonly empty: readonly string[];
  readonly emptySql: readonly string[];
  /** Queries that could not be carried out. */
  readonly failures: readonly string[];
  /** What does not fit together: legends, transformations and overrides that name what the answers do not have. */
  readonly problems: readonly string[];
}

/** Runs everything a panel asks for, and holds the answers to what its legends, transformations and overrides name. */
export async function showPanel(
  { panel, queries }: PlacedPanel,
  sources: Sources,
  chosen: Chosen,
  view: View,
): Promise<Shown> {
  const points = panel.maxDataPoints ?? Math.round((panel.gridPos.w / 24) * FULL_WIDTH);
  const least = panel.interval === undefined || view.finest ? undefined : promMs(panel.interval);
  const many = queries.filter(({ format, language }) => language === "promql" && format === "table").length > 1;
  const frames: Frame[] = [];
  const rows: Record<string, number> = {};
  const problems: string[] = [];
  const failures: string[] = [];
  for (const query of queries.filter(({ hidden }) => !hidden)) {
    try {
      if (query.language === "promql") {
        const answer = await runPromql(sources.prometheus, query, { chosen, view, points, least, many });
        rows[query.refId] = answer.series.length;
        frames.push(...answer.frames);
        problems.push(
          ...missingLabels(
            query.refId,
            query.legend,
            answer.series.map(({ metric }) => metric),
          ),
        );
      } else {
        const answer = await runSql(sources.database, query, { chosen, view, points, least });
        rows[query.refId] = answer.rows;
        frames.push(...answer.frames);
      }
    } catch (error) {
      failures.push(`${query.refId}: ${(error as Error).message}`);
      rows[query.refId] = 0;
    }
  }
  const empty = Object.keys(rows).filter((refId) => rows[refId] === 0);
  const done = transform(panel, frames);
  // Where a query found nothing, its fields are missing for that reason.
  if (empty.length === 0) problems.push(...done.missing, ...lostOverrides(panel, done.frames));
  if (empty.length === 0 && queries.length > 0 && !hasValue(done.frames)) problems.push("not one value to show");
  const emptySql = empty.filter((refId) => queries.some((query) => query.refId === refId && query.language === "sql"));
  return { frames: done.frames, queries: queries.length, rows, empty, emptySql, failures, problems };
}

/** Labels that a legend names and no series has. */
function missingLabels(
  refId: string,
  legend: string | undefined,
  metrics: readonly Readonly<Record<string, string>>[],
): string[] {
  const labels = [...(legend ?? "").matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label = ""]) => label);
  return labels
    .filter((label) => metrics.length > 0 && !metrics.some((metric) => metric[label]))
    .map((label) => `${refId}: no series has the label ${label} of the legend`);
}

/** Overrides by name that are for no field. */
function lostOverrides({ fieldConfig }: PlacedPanel["panel"], frames: readonly Frame[]): string[] {
  const names = new Set(frames.flatMap(({ fields }) => fields.flatMap((field) => [field.name, shownName(field)])));
  return (fieldConfig?.overrides ?? [])
    .filter(({ matcher }) => matcher.id === "byName" && !names.has(String(matcher.options)))
    .map(
      ({ matcher }) => `the override for ${JSON.stringify(matcher.options)} is for none of ${[...names].join(", ")}`,
    );
}

/** Runs the annotations of a dashboard that are SQL; returns how many there are and what is wrong. */
export async function runAnnotations(
  { dashboard }: CheckedDashboard,
  sources: Sources,
  chosen: Chosen,
  view: View,
): Promise<{ readonly rows: readonly number[]; readonly problems: readonly string[] }> {
  const rows: number[] = [];
  const problems: string[] = [];
  for (const { name, target, rawQuery } of dashboard.annotations.list) {
    const text = target?.["rawSql"] ?? rawQuery;
    if (typeof text !== "string") continue;
    try {
      const answer = await runSql(
        sources.database,
        { refId: name, text, format: "table" },
        { chosen, view, points: 100 },
      );
      const names = answer.frames.flatMap(({ fields }) => fields.map((field) => field.name));
      if (!names.includes("time") || !names.includes("text"))
        problems.push(`${name}: expected the columns time and text`);
      rows.push(answer.rows);
    } catch (error) {
      problems.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { rows, problems };
}
