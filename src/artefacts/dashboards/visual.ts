import { z } from "zod";

// Options and field settings that several types of panels share, with Grafana's names.

const number = z.number().optional();
const flagOrMs = z.union([z.boolean(), z.number()]).optional();

export const hideFrom = z.strictObject({ tooltip: z.boolean(), legend: z.boolean(), viz: z.boolean() });

export const legend = z.strictObject({
  displayMode: z.enum(["list", "table", "hidden"]),
  placement: z.enum(["bottom", "right"]),
  showLegend: z.boolean(),
  calcs: z.array(z.string()),
  sortBy: z.string().optional(),
  sortDesc: z.boolean().optional(),
  width: number,
});

export const tooltip = z.strictObject({
  mode: z.enum(["single", "multi", "none"]),
  sort: z.enum(["asc", "desc", "none"]).optional(),
  maxWidth: number,
  maxHeight: number,
  hideZeros: z.boolean().optional(),
});

export const reduceOptions = z.strictObject({
  values: z.boolean().optional(),
  limit: number,
  calcs: z.array(z.string()),
  fields: z.string().optional(),
});

export const textOptions = z.strictObject({ titleSize: number, valueSize: number, percentSize: number });

export const axis = {
  axisPlacement: z.enum(["auto", "top", "right", "bottom", "left", "hidden"]).optional(),
  axisColorMode: z.enum(["text", "series"]).optional(),
  axisLabel: z.string().optional(),
  axisWidth: number,
  axisSoftMin: number,
  axisSoftMax: number,
  axisGridShow: z.boolean().optional(),
  axisCenteredZero: z.boolean().optional(),
  axisBorderShow: z.boolean().optional(),
  scaleDistribution: z
    .strictObject({ type: z.enum(["linear", "log", "ordinal", "symlog"]), log: number, linearThreshold: number })
    .optional(),
};

export const line = {
  drawStyle: z.enum(["line", "bars", "points"]).optional(),
  gradientMode: z.enum(["none", "opacity", "hue", "scheme"]).optional(),
  transform: z.enum(["constant", "negative-Y"]).optional(),
  lineColor: z.string().optional(),
  lineWidth: number,
  lineInterpolation: z.enum(["linear", "smooth", "stepBefore", "stepAfter"]).optional(),
  lineStyle: z
    .strictObject({ fill: z.enum(["solid", "dash", "dot", "square"]).optional(), dash: z.array(z.number()).optional() })
    .optional(),
  fillColor: z.string().optional(),
  fillOpacity: number,
  fillBelowTo: z.string().optional(),
  showPoints: z.enum(["auto", "never", "always"]).optional(),
  pointSize: number,
  pointColor: z.string().optional(),
  pointSymbol: z.string().optional(),
  barAlignment: z.union([z.literal(-1), z.literal(0), z.literal(1)]).optional(),
  barWidthFactor: number,
  barMaxWidth: number,
  spanNulls: flagOrMs,
  insertNulls: flagOrMs,
};

export const stacking = z
  .strictObject({ mode: z.enum(["none", "normal", "percent"]).optional(), group: z.string().optional() })
  .optional();

export const thresholdsStyle = z
  .strictObject({
    mode: z.enum(["off", "line", "dashed", "area", "line+area", "dashed+area", "series"]),
  })
  .optional();
