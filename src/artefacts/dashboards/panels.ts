import { z } from "zod";
import { alertListOptions, geomapOptions, tableCustom, tableOptions } from "./panel-options.ts";
import {
  axis,
  hideFrom,
  legend,
  line,
  reduceOptions,
  stacking,
  textOptions,
  thresholdsStyle,
  tooltip,
} from "./visual.ts";

/** What the panels of a type take besides what all take. */
export interface PanelType {
  readonly options: z.ZodObject;
  /** `fieldConfig.defaults.custom`; absent where the type has none. */
  readonly custom?: z.ZodObject;
  /** Whether its values are numbers that mean nothing without a unit. */
  readonly hasUnit: boolean;
}

const orientation = z.enum(["auto", "vertical", "horizontal"]).optional();
const singleValue = { reduceOptions: reduceOptions.optional(), text: textOptions.optional(), orientation };
const gauges = {
  ...singleValue,
  sizing: z.enum(["auto", "manual"]).optional(),
  minVizWidth: z.number().optional(),
  minVizHeight: z.number().optional(),
};
const lists = { legend: legend.optional(), tooltip: tooltip.optional() };
const rows = {
  ...lists,
  showValue: z.enum(["auto", "never", "always"]).optional(),
  rowHeight: z.number().optional(),
  perPage: z.number().optional(),
};
const rowCustom = {
  lineWidth: z.number().optional(),
  fillOpacity: z.number().optional(),
  hideFrom: hideFrom.optional(),
};

/** The panel types of gleaner's dashboards and their near relations. Of any other only the common part is checked. */
export const PANEL_TYPES: Readonly<Record<string, PanelType>> = {
  stat: {
    hasUnit: true,
    options: z.strictObject({
      ...singleValue,
      graphMode: z.enum(["none", "line", "area"]).optional(),
      colorMode: z.enum(["value", "background", "background_solid", "none"]).optional(),
      justifyMode: z.enum(["auto", "center"]).optional(),
      textMode: z.enum(["auto", "value", "value_and_name", "name", "none"]).optional(),
      wideLayout: z.boolean().optional(),
      showPercentChange: z.boolean().optional(),
      percentChangeColorMode: z.enum(["standard", "inverted", "same_as_value"]).optional(),
    }),
    custom: z.strictObject({}),
  },
  gauge: {
    hasUnit: true,
    options: z.strictObject({
      ...gauges,
      showThresholdLabels: z.boolean().optional(),
      showThresholdMarkers: z.boolean().optional(),
    }),
    custom: z.strictObject({}),
  },
  bargauge: {
    hasUnit: true,
    options: z.strictObject({
      ...gauges,
      displayMode: z.enum(["basic", "lcd", "gradient"]).optional(),
      valueMode: z.enum(["color", "text", "hidden"]).optional(),
      namePlacement: z.enum(["auto", "top", "left", "hidden"]).optional(),
      showUnfilled: z.boolean().optional(),
      maxVizHeight: z.number().optional(),
      legend: legend.optional(),
    }),
    custom: z.strictObject({}),
  },
  timeseries: {
    hasUnit: true,
    options: z.strictObject({ ...lists, timezone: z.array(z.string()).optional(), orientation }),
    custom: z.strictObject({ ...axis, ...line, hideFrom: hideFrom.optional(), stacking, thresholdsStyle }),
  },
  barchart: {
    hasUnit: true,
    options: z.strictObject({
      ...lists,
      xField: z.string().optional(),
      colorByField: z.string().optional(),
      orientation,
      barRadius: z.number().optional(),
      xTickLabelRotation: z.number().optional(),
      xTickLabelMaxLength: z.number().optional(),
      xTickLabelSpacing: z.number().optional(),
      stacking: z.enum(["none", "normal", "percent"]).optional(),
      showValue: z.enum(["auto", "never", "always"]).optional(),
      barWidth: z.number().optional(),
      groupWidth: z.number().optional(),
      text: textOptions.optional(),
      fullHighlight: z.boolean().optional(),
    }),
    custom: z.strictObject({
      ...axis,
      lineWidth: z.number().optional(),
      fillOpacity: z.number().optional(),
      gradientMode: z.string().optional(),
      hideFrom: hideFrom.optional(),
      thresholdsStyle,
    }),
  },
  histogram: {
    hasUnit: true,
    options: z.strictObject({
      ...lists,
      bucketCount: z.number().optional(),
      bucketSize: z.number().optional(),
      bucketOffset: z.number().optional(),
      combine: z.boolean().optional(),
    }),
    custom: z.strictObject({
      ...axis,
      lineWidth: z.number().optional(),
      fillOpacity: z.number().optional(),
      gradientMode: z.string().optional(),
      hideFrom: hideFrom.optional(),
      stacking,
    }),
  },
  piechart: {
    hasUnit: true,
    options: z.strictObject({
      ...singleValue,
      pieType: z.enum(["pie", "donut"]).optional(),
      displayLabels: z.array(z.enum(["name", "value", "percent"])).optional(),
      tooltip: tooltip.optional(),
      legend: legend.extend({ values: z.array(z.enum(["value", "percent"])).optional() }).optional(),
    }),
    custom: z.strictObject({ hideFrom: hideFrom.optional() }),
  },
  "state-timeline": {
    hasUnit: false,
    options: z.strictObject({
      ...rows,
      mergeValues: z.boolean().optional(),
      alignValue: z.enum(["center", "left", "right"]).optional(),
    }),
    custom: z.strictObject({
      ...rowCustom,
      ...axis,
      spanNulls: z.union([z.boolean(), z.number()]).optional(),
      insertNulls: z.union([z.boolean(), z.number()]).optional(),
    }),
  },
  "status-history": {
    hasUnit: false,
    options: z.strictObject({ ...rows, colWidth: z.number().optional() }),
    custom: z.strictObject({ ...rowCustom, ...axis }),
  },
  table: { hasUnit: false, options: tableOptions, custom: tableCustom },
  geomap: { hasUnit: false, options: geomapOptions, custom: z.strictObject({ hideFrom: hideFrom.optional() }) },
  text: {
    hasUnit: false,
    options: z.strictObject({
      mode: z.enum(["html", "markdown", "code"]),
      content: z.string(),
      code: z.strictObject({ language: z.string(), showLineNumbers: z.boolean(), showMiniMap: z.boolean() }).optional(),
    }),
  },
  alertlist: { hasUnit: false, options: alertListOptions },
};
