import { z } from "zod";

// Parts of Grafana's classic dashboard JSON that many panels share. Keys as in Grafana's own schema; what gleaner's
// dashboards do not use is left out until one does.

const anything = z.record(z.string(), z.unknown());

/** A data source by type and uid; the uid may be a variable. */
export const datasourceRef = z.strictObject({ type: z.string().optional(), uid: z.string().min(1) });

/** A link of a dashboard or panel. */
export const dashboardLink = z.strictObject({
  title: z.string(),
  type: z.enum(["link", "dashboards"]).optional(),
  icon: z.string().optional(),
  tooltip: z.string().optional(),
  url: z.string().nullable().optional(),
  tags: z.array(z.string()).optional(),
  asDropdown: z.boolean().optional(),
  placement: z.literal("inControlsMenu").optional(),
  targetBlank: z.boolean().optional(),
  includeVars: z.boolean().optional(),
  keepTime: z.boolean().optional(),
});

const mappingResult = z.strictObject({
  text: z.string().optional(),
  color: z.string().optional(),
  icon: z.string().optional(),
  index: z.number().optional(),
});
const valueMapping = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("value"), options: z.record(z.string(), mappingResult) }),
  z.strictObject({
    type: z.literal("range"),
    options: z.strictObject({ from: z.number().nullable(), to: z.number().nullable(), result: mappingResult }),
  }),
  z.strictObject({ type: z.literal("regex"), options: z.strictObject({ pattern: z.string(), result: mappingResult }) }),
  z.strictObject({
    type: z.literal("special"),
    options: z.strictObject({
      match: z.enum(["true", "false", "null", "nan", "null+nan", "empty"]),
      result: mappingResult,
    }),
  }),
]);

/** Thresholds begin with a step that has no value: below all others. */
const thresholds = z.strictObject({
  mode: z.enum(["absolute", "percentage"]),
  steps: z.array(z.strictObject({ value: z.number().nullable(), color: z.string() })).min(1),
});

const COLOR_MODES = [
  ...["thresholds", "palette-classic", "palette-classic-by-name", "fixed", "shades"],
  ...["GrYlRd", "RdYlGr", "BlYlRd", "YlRd", "BlPu", "YlBl"].map((name) => `continuous-${name}`),
  ...["blues", "reds", "greens", "purples"].map((name) => `continuous-${name}`),
];

const fieldColor = z.strictObject({
  mode: z.enum(COLOR_MODES as [string, ...string[]]),
  fixedColor: z.string().optional(),
  seriesBy: z.enum(["min", "max", "last"]).optional(),
});

/** What applies to every field of a panel; `custom` is checked by the panel's type. */
export const fieldDefaults = z.strictObject({
  displayName: z.string().optional(),
  description: z.string().optional(),
  filterable: z.boolean().optional(),
  unit: z.string().optional(),
  decimals: z.number().nullable().optional(),
  min: z.number().nullable().optional(),
  max: z.number().nullable().optional(),
  mappings: z.array(valueMapping).optional(),
  thresholds: thresholds.optional(),
  color: fieldColor.optional(),
  links: z.array(dashboardLink.extend({ oneClick: z.boolean().optional() })).optional(),
  noValue: z.string().optional(),
  fieldMinMax: z.boolean().optional(),
  custom: anything.optional(),
});

/** Which fields an override is for. */
const matcher = z.strictObject({
  id: z.enum(["byName", "byRegexp", "byType", "byFrameRefID", "byNames", "byValue"]),
  options: z.unknown(),
});

export const fieldConfig = z.strictObject({
  defaults: fieldDefaults,
  overrides: z.array(
    z.strictObject({
      matcher,
      properties: z.array(z.strictObject({ id: z.string(), value: z.unknown() })),
    }),
  ),
});

export const gridPos = z.strictObject({
  h: z.int().min(1),
  w: z.int().min(1).max(24),
  x: z.int().min(0).max(23),
  y: z.int().min(0),
});
