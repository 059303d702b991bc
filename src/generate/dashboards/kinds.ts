import * as barGauge from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizOrientation,
} from "@grafana/grafana-foundation-sdk/common";
import { type DataTransformerConfig, FieldColorModeId } from "@grafana/grafana-foundation-sdk/dashboard";
import * as statPanel from "@grafana/grafana-foundation-sdk/stat";
import * as timeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as tablePanel from "@grafana/grafana-foundation-sdk/table";
import * as graph from "@grafana/grafana-foundation-sdk/timeseries";
import { finish, type PanelOptions, type Tile } from "./panels.ts";
import { letter } from "./queries.ts";

interface StatOptions extends PanelOptions {
  /** Draws the course of the value below it; only for queries over the range. */
  readonly spark?: boolean;
  /** Shows text fields too, not only numbers. */
  readonly text?: boolean;
  /** Shows the series' names beside their values. */
  readonly named?: boolean;
}

/** One number, or a few, each large. */
export function stat({ spark = false, text = false, named = false, ...options }: StatOptions): Tile {
  const reduce = new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields(text ? "/.*/" : "");
  const builder = new statPanel.PanelBuilder()
    .graphMode(spark ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(named ? BigValueTextMode.ValueAndName : BigValueTextMode.Auto)
    .orientation(named ? VizOrientation.Vertical : VizOrientation.Auto)
    .reduceOptions(reduce);
  return finish(builder, options, { color: { mode: FieldColorModeId.Thresholds } });
}

interface GraphOptions extends PanelOptions {
  /** On top of each other, for parts of a whole. */
  readonly stacked?: boolean;
  readonly bars?: boolean;
  /** With these figures beside each name; a plain list when absent. */
  readonly calcs?: readonly string[];
  readonly placement?: "bottom" | "right";
  /** Draws the thresholds as lines. */
  readonly lines?: boolean;
}

/** Values over time. */
export function timeseries(options: GraphOptions): Tile {
  const { stacked = false, bars = false, calcs = [], placement = "bottom", lines = false, ...rest } = options;
  const legend = new common.VizLegendOptionsBuilder()
    .displayMode(calcs.length > 0 ? LegendDisplayMode.Table : LegendDisplayMode.List)
    .placement(placement === "right" ? LegendPlacement.Right : LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([...calcs]);
  const builder = new graph.PanelBuilder()
    .drawStyle(bars ? GraphDrawStyle.Bars : GraphDrawStyle.Line)
    .fillOpacity(bars ? 80 : stacked ? 40 : 10)
    .lineWidth(1)
    .showPoints(VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(false)
    .axisSoftMin(0)
    .legend(legend)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (stacked) builder.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  if (lines)
    builder.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return finish(builder, rest, { color: { mode: FieldColorModeId.PaletteClassic } });
}

/** States over time, a line each; the words are in the bars. */
export function stateTimeline(options: PanelOptions): Tile {
  const builder = new timeline.PanelBuilder()
    .showValue(VisibilityMode.Auto)
    .mergeValues(true)
    .rowHeight(0.85)
    .fillOpacity(80)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None));
  return finish(builder, options, { color: { mode: FieldColorModeId.Thresholds } });
}

interface TableOptions extends PanelOptions {
  /** The column sorted by to begin with. */
  readonly sortBy?: string;
  readonly descending?: boolean;
}

/** Rows. */
export function table({ sortBy, descending = false, ...options }: TableOptions): Tile {
  const builder = new tablePanel.PanelBuilder().showHeader(true).filterable(true);
  if (sortBy !== undefined)
    builder.sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(descending)]);
  return finish(builder, options, { color: { mode: FieldColorModeId.Thresholds } });
}

/** A bar for each series, the longest first where the query sorts them. */
export function bars(options: PanelOptions): Tile {
  const builder = new barGauge.PanelBuilder()
    .orientation(VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false));
  return finish(builder, options, { color: { mode: FieldColorModeId.Thresholds } });
}

/** A column of a table made of several instant queries: the query's value, or a label by its name. */
export interface Column {
  readonly name: string;
  /** The label's name, or the position of the query whose value it is. */
  readonly from: string | number;
}

/** Joins instant queries by a label into one row each; what is not named is left out. */
export function joined(by: string, columns: readonly Column[]): DataTransformerConfig[] {
  const source = ({ from }: Column) => (typeof from === "string" ? from : `Value #${letter(from)}`);
  return [
    { id: "joinByField", options: { byField: by, mode: "outer" } },
    { id: "filterFieldsByName", options: { include: { names: columns.map(source) } } },
    {
      id: "organize",
      options: {
        excludeByName: {},
        indexByName: Object.fromEntries(columns.map((column, index) => [source(column), index])),
        renameByName: Object.fromEntries(columns.map((column) => [source(column), column.name])),
      },
    },
  ];
}
