import { z } from "zod";
import { dashboardLink, datasourceRef, fieldConfig, gridPos } from "./fields.ts";

const anything = z.record(z.string(), z.unknown());
const duration = z.string().regex(/^\d+(ms|s|m|h|d|w|M|y)$/, { error: "expected a duration such as 30s" });

/** One query of a panel; its own keys are checked by its data source (queries.ts). */
const target = z.looseObject({ refId: z.string().min(1), datasource: datasourceRef.optional() });

const panelBase = {
  id: z.int().min(1, { error: "expected a number from 1; alerts cannot refer to panel 0" }),
  title: z.string(),
  description: z.string().optional(),
  gridPos,
  transparent: z.boolean().optional(),
  datasource: datasourceRef.optional(),
  links: z.array(dashboardLink).optional(),
  repeat: z.string().optional(),
  repeatDirection: z.enum(["h", "v"]).optional(),
  maxPerRow: z.int().min(1).optional(),
};

/** A panel; `options`, `fieldConfig.defaults.custom` and transformations are checked by type (panels.ts). */
export const panelSchema = z.strictObject({
  ...panelBase,
  type: z.string().min(1),
  pluginVersion: z.string().optional(),
  targets: z.array(target).optional(),
  maxDataPoints: z.int().min(1).optional(),
  interval: z.union([duration, z.string().regex(/^\$\w+$|^>?=?\d+\w+$/)]).optional(),
  timeFrom: duration.nullable().optional(),
  timeShift: duration.nullable().optional(),
  hideTimeOverride: z.boolean().optional(),
  cacheTimeout: z.string().optional(),
  transformations: z
    .array(
      z.strictObject({
        id: z.string(),
        disabled: z.boolean().optional(),
        filter: z.strictObject({ id: z.string(), options: z.unknown() }).optional(),
        topic: z.enum(["series", "annotations", "alertStates"]).optional(),
        options: anything,
      }),
    )
    .optional(),
  options: anything.optional(),
  fieldConfig: fieldConfig.optional(),
});

/** A row: a heading, and when it is collapsed the panels in it. */
export const rowSchema = z.strictObject({
  ...panelBase,
  type: z.literal("row"),
  collapsed: z.boolean(),
  panels: z.array(panelSchema),
});

const option = z.strictObject({
  text: z.union([z.string(), z.array(z.string())]),
  value: z.union([z.string(), z.array(z.string())]),
  selected: z.boolean().nullable().optional(),
});

const variableBase = {
  name: z.string().regex(/^\w+$/, { error: "expected letters, digits and _" }),
  label: z.string().optional(),
  description: z.string().nullable().optional(),
  hide: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
  skipUrlSync: z.boolean().optional(),
  current: z.union([option, z.strictObject({})]).optional(),
  options: z.array(option).optional(),
};
const chosen = {
  multi: z.boolean().optional(),
  includeAll: z.boolean().optional(),
  allValue: z.string().nullable().optional(),
  allowCustomValue: z.boolean().optional(),
};

const variable = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      ...variableBase,
      ...chosen,
      type: z.literal("datasource"),
      query: z.string().min(1),
      regex: z.string().optional(),
      refresh: z.int().optional(),
    }),
    z.strictObject({
      ...variableBase,
      ...chosen,
      type: z.literal("query"),
      query: z.union([z.string().min(1), anything]),
      definition: z.string().optional(),
      datasource: datasourceRef,
      regex: z.string().optional(),
      refresh: z.int().min(0).max(2).optional(),
      sort: z.int().min(0).max(8).optional(),
    }),
    z.strictObject({ ...variableBase, ...chosen, type: z.literal("custom"), query: z.string().min(1) }),
    z.strictObject({ ...variableBase, type: z.literal("constant"), query: z.string() }),
    z.strictObject({ ...variableBase, type: z.literal("textbox"), query: z.string() }),
    z.strictObject({
      ...variableBase,
      type: z.literal("interval"),
      query: z.string().min(1),
      auto: z.boolean().optional(),
      auto_min: z.string().optional(),
      auto_count: z.int().optional(),
      refresh: z.int().optional(),
    }),
  ],
  { error: "expected a variable of type datasource, query, custom, constant, textbox or interval" },
);

const annotation = z.strictObject({
  name: z.string().min(1),
  builtIn: z.number().optional(),
  type: z.string().optional(),
  datasource: datasourceRef,
  enable: z.boolean(),
  hide: z.boolean().optional(),
  iconColor: z.string(),
  filter: anything.optional(),
  target: anything.optional(),
  mappings: anything.optional(),
  expr: z.string().optional(),
  step: z.string().optional(),
  titleFormat: z.string().optional(),
  textFormat: z.string().optional(),
  tagKeys: z.string().optional(),
  useValueForTime: z.union([z.string(), z.boolean()]).optional(),
  rawQuery: z.union([z.string(), z.boolean()]).optional(),
  rawSql: z.string().optional(),
  placement: z.literal("inControlsMenu").optional(),
});

/** A classic dashboard as Grafana 9.4 to 13 take it from a file. */
export const dashboardSchema = z.strictObject({
  uid: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, { error: "expected 1 to 40 letters, digits, - and _" }),
  id: z.null({ error: "expected null: a number is of one Grafana's own database" }).optional(),
  title: z.string().min(1),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  timezone: z.string().optional(),
  editable: z.boolean().optional(),
  graphTooltip: z.union([z.literal(0), z.literal(1), z.literal(2)]).optional(),
  time: z.strictObject({ from: z.string().min(1), to: z.string().min(1) }),
  timepicker: z
    .strictObject({
      hidden: z.boolean().optional(),
      refresh_intervals: z.array(z.string()).optional(),
      nowDelay: z.string().optional(),
      quick_ranges: z.array(z.strictObject({ display: z.string(), from: z.string(), to: z.string() })).optional(),
    })
    .optional(),
  fiscalYearStartMonth: z.int().min(0).max(11).optional(),
  liveNow: z.boolean().optional(),
  preload: z.boolean().optional(),
  weekStart: z.string().optional(),
  refresh: z.string({ error: "expected text such as 30s, or an empty one" }).optional(),
  schemaVersion: z.int(),
  version: z.int().optional(),
  revision: z.int().optional(),
  // Each is held to panelSchema or rowSchema afterwards (structure.ts), so that messages speak of the right one.
  panels: z.array(z.looseObject({ type: z.string().min(1) })),
  templating: z.strictObject({ list: z.array(variable) }),
  annotations: z.strictObject({ list: z.array(annotation) }),
  links: z.array(dashboardLink).optional(),
});

export type Panel = z.output<typeof panelSchema>;
export type Row = z.output<typeof rowSchema>;
export type Variable = z.output<typeof variable>;
export type Dashboard = z.output<typeof dashboardSchema>;
