import { z } from "zod";

// Options of the panels that have many of their own, with Grafana's names.

const layer = z.strictObject({
  type: z.string(),
  name: z.string(),
  config: z.record(z.string(), z.unknown()).optional(),
  location: z
    .strictObject({
      mode: z.enum(["auto", "geohash", "coords", "lookup"]),
      geohash: z.string().optional(),
      latitude: z.string().optional(),
      longitude: z.string().optional(),
      lookup: z.string().optional(),
      gazetteer: z.string().optional(),
    })
    .optional(),
  filterData: z.unknown().optional(),
  opacity: z.number().min(0).max(1).optional(),
  tooltip: z.boolean().optional(),
});

/** Options of a map. */
export const geomapOptions = z.strictObject({
  view: z.strictObject({
    id: z.string(),
    lat: z.number().optional(),
    lon: z.number().optional(),
    zoom: z.number().optional(),
    minZoom: z.number().optional(),
    maxZoom: z.number().optional(),
    padding: z.number().optional(),
    allLayers: z.boolean().optional(),
    lastOnly: z.boolean().optional(),
    layer: z.string().optional(),
    shared: z.boolean().optional(),
  }),
  controls: z.strictObject(
    Object.fromEntries(
      ["showZoom", "mouseWheelZoom", "showAttribution", "showScale", "showDebug", "showMeasure"].map((name) => [
        name,
        z.boolean().optional(),
      ]),
    ),
  ),
  basemap: layer,
  layers: z.array(layer),
  tooltip: z.strictObject({ mode: z.enum(["none", "details"]) }),
});

/** Options of a table. */
export const tableOptions = z.strictObject({
  frameIndex: z.number().optional(),
  showHeader: z.boolean().optional(),
  showTypeIcons: z.boolean().optional(),
  sortBy: z.array(z.strictObject({ displayName: z.string(), desc: z.boolean().optional() })).optional(),
  footer: z
    .strictObject({
      show: z.boolean(),
      reducer: z.array(z.string()),
      fields: z.union([z.array(z.string()), z.string()]).optional(),
      enablePagination: z.boolean().optional(),
      countRows: z.boolean().optional(),
    })
    .optional(),
  cellHeight: z.enum(["sm", "md", "lg", "auto"]).optional(),
});
/** What a table takes for a field. */
export const tableCustom = z.strictObject({
  width: z.number().optional(),
  minWidth: z.number().optional(),
  align: z.enum(["auto", "left", "right", "center"]).optional(),
  cellOptions: z.looseObject({ type: z.string() }).optional(),
  hidden: z.boolean().optional(),
  inspect: z.boolean().optional(),
  filterable: z.boolean().optional(),
  hideHeader: z.boolean().optional(),
});

const stateFilter = z.strictObject(
  Object.fromEntries(
    ["firing", "pending", "noData", "normal", "error", "inactive", "recovering"].map((name) => [
      name,
      z.boolean().optional(),
    ]),
  ),
);

/** Options of a list of alerts. */
export const alertListOptions = z.strictObject({
  viewMode: z.enum(["list", "stat"]).optional(),
  groupMode: z.enum(["default", "custom"]).optional(),
  groupBy: z.array(z.string()).optional(),
  maxItems: z.number().optional(),
  sortOrder: z.int().min(1).max(6).optional(),
  dashboardAlerts: z.boolean().optional(),
  alertName: z.string().optional(),
  showInstances: z.boolean().optional(),
  showInactiveAlerts: z.boolean().optional(),
  folder: z.unknown().optional(),
  datasource: z.string().optional(),
  stateFilter: stateFilter.optional(),
  alertInstanceLabelFilter: z.string().optional(),
});
