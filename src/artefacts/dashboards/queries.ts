import { z } from "zod";
import type { Path } from "../../config/problem.ts";
import { datasourceRef } from "./fields.ts";
import type { Panel } from "./schema.ts";

const common = {
  refId: z.string().min(1),
  datasource: datasourceRef.optional(),
  hide: z.boolean().optional(),
  queryType: z.string().optional(),
  intervalMs: z.number().optional(),
  maxDataPoints: z.number().optional(),
};

/** A query of Grafana's Prometheus data source. */
export const promTarget = z.strictObject({
  ...common,
  expr: z.string(),
  legendFormat: z.string().optional(),
  format: z.enum(["time_series", "table", "heatmap"]).optional(),
  instant: z.boolean().optional(),
  range: z.boolean().optional(),
  exemplar: z.boolean().optional(),
  interval: z.string().optional(),
  intervalFactor: z.number().optional(),
  editorMode: z.enum(["code", "builder"]).optional(),
});

/** A query of Grafana's PostgreSQL data source. */
export const sqlTarget = z.strictObject({
  ...common,
  rawSql: z.string(),
  rawQuery: z.boolean().optional(),
  format: z.enum(["time_series", "table"]),
  editorMode: z.enum(["code", "builder"]).optional(),
  dataset: z.string().optional(),
  table: z.string().optional(),
  sql: z.record(z.string(), z.unknown()).optional(),
});

/** A query of a panel in either language. */
export interface Query {
  readonly language: "promql" | "sql";
  readonly refId: string;
  readonly text: string;
  /** Of its text. */
  readonly path: Path;
  readonly format: string;
  readonly instant: boolean;
  readonly legend: string | undefined;
  readonly hidden: boolean;
}

/** The queries of a panel that has been held to the schema. */
export function queriesOf(panel: Panel, path: Path): Query[] {
  return (panel.targets ?? []).flatMap((target, index): Query[] => {
    const at = [...path, "targets", index];
    const hidden = target["hide"] === true;
    if (typeof target["rawSql"] === "string")
      return [
        {
          ...{ language: "sql", refId: target.refId, text: target["rawSql"], path: [...at, "rawSql"], hidden },
          ...{ format: String(target["format"]), instant: false, legend: undefined },
        },
      ];
    if (typeof target["expr"] !== "string") return [];
    const { legendFormat } = target;
    return [
      {
        ...{ language: "promql", refId: target.refId, text: target["expr"], path: [...at, "expr"], hidden },
        format: String(target["format"] ?? "time_series"),
        instant: target["instant"] === true && target["range"] !== true,
        legend: typeof legendFormat === "string" ? legendFormat : undefined,
      },
    ];
  });
}
