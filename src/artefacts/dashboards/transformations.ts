import { z } from "zod";
import { suggestion } from "../../config/closest.ts";
import type { Path } from "../../config/problem.ts";
import type { Document } from "../document.ts";

const flags = z.record(z.string(), z.boolean());
const texts = z.record(z.string(), z.string());

/** Options of the transformations that gleaner's dashboards use, with Grafana's names. */
const OPTIONS: Readonly<Record<string, z.ZodObject>> = {
  organize: z.strictObject({
    excludeByName: flags.optional(),
    includeByName: flags.optional(),
    indexByName: z.record(z.string(), z.number()).optional(),
    renameByName: texts.optional(),
    orderByMode: z.enum(["manual", "auto"]).optional(),
    orderBy: z.array(z.unknown()).optional(),
  }),
  joinByField: z.strictObject({
    byField: z.string().optional(),
    mode: z.enum(["outer", "outerTabular", "inner"]).optional(),
  }),
  merge: z.strictObject({}),
  labelsToFields: z.strictObject({
    mode: z.enum(["columns", "rows"]).optional(),
    keepLabels: z.array(z.string()).optional(),
    valueLabel: z.string().optional(),
  }),
  sortBy: z.strictObject({
    fields: z.record(z.string(), z.unknown()).optional(),
    sort: z.array(z.strictObject({ field: z.string(), desc: z.boolean().optional() })),
  }),
  limit: z.strictObject({ limitField: z.union([z.number(), z.string()]) }),
  renameByRegex: z.strictObject({ regex: z.string(), renamePattern: z.string() }),
};

/** The others that Grafana has; their options are not checked. */
const OTHERS = [
  ...["calculateField", "concatenate", "configFromData", "convertFieldType", "extractFields", "fieldLookup"],
  ...["filterByRefId", "filterByValue", "filterFieldsByName", "formatString", "formatTime", "groupBy"],
  ...["groupingToMatrix", "groupToNestedTable", "heatmap", "histogram", "joinByLabels", "partitionByValues"],
  ...["prepareTimeSeries", "reduce", "regression", "rowsToFields", "seriesToRows", "spatial", "timeSeriesTable"],
  ...["transpose", "convertFrameType", "smoothing"],
];

/** What is wrong with one transformation of a panel. */
export function transformation(
  document: Document,
  { id, options }: { readonly id: string; readonly options: unknown },
  path: Path,
): readonly string[] {
  const schema = OPTIONS[id];
  if (schema) return document.validate(schema, options, [...path, "options"]).problems;
  if (OTHERS.includes(id)) return [];
  const message = `Grafana has no such transformation${suggestion(id, [...Object.keys(OPTIONS), ...OTHERS])}`;
  return [document.problem("transformation", { path: [...path, "id"], message })];
}
