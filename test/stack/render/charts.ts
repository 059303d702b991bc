import * as echarts from "echarts";
import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import type { View } from "../grafana/range.ts";
import { appearance, lastOf, PALETTE, type Styled, thresholdColour } from "./style.ts";
import { formatValue } from "./units.ts";

/** Room for a drawing, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

const TEXT = "#CCCCDC";
export const GRID = "rgba(204, 204, 220, 0.10)";

/** Draws with ECharts, without a browser. */
export function svg(option: echarts.EChartsCoreOption, { width, height }: Size): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({ animation: false, textStyle: { fontFamily: "Inter, Helvetica, sans-serif" }, ...option });
  const drawn = chart.renderToSVGString();
  chart.dispose();
  return drawn;
}

export const label = { color: TEXT, fontSize: 11 };
/** Widths of texts are guessed outside a browser, and guessed too small. */
export const legendText = { ...label, padding: [0, 12, 0, 0] };
export const timeAxis = ({ from, to }: View) => ({
  ...{ type: "time", min: from, max: to, axisLabel: { ...label, hideOverlap: true } },
  splitLine: { show: true, lineStyle: { color: GRID } },
});

/** Values of a frame with their times. */
export interface Line {
  readonly time: Styled;
  readonly field: Styled;
}

export function linesOf(frames: readonly Styled[][]): Line[] {
  return frames.flatMap((fields) => {
    const time = fields.find(({ type }) => type === "time");
    return time ? fields.filter(({ type }) => type === "number").map((field) => ({ time, field })) : [];
  });
}

/** Times out of the range are not drawn; Grafana clips them too. */
const pointsOf = ({ time, field }: Line): [number, unknown][] =>
  time.values.map((at, row) => [Number(at), Number.isFinite(field.values[row]) ? field.values[row] : null]);

export function timeseries(panel: Panel, frames: readonly Styled[][], view: View, size: Size): string {
  const lines = linesOf(frames);
  const first = lines[0]?.field.config;
  const custom = (line: Line) => (line.field.config.custom ?? {}) as Readonly<Record<string, unknown>>;
  const units = [...new Set(lines.map(({ field }) => field.config.unit ?? "none"))];
  const axis = (unit: string, index: number) => ({
    type: "value",
    position: index === 0 ? "left" : "right",
    axisLabel: { ...label, formatter: (value: number) => formatValue(value, unit) },
    splitLine: { show: index === 0, lineStyle: { color: GRID } },
    min:
      first?.min ??
      (first?.custom?.["axisSoftMin"] === 0 ? (range: { min: number }) => Math.min(0, range.min) : undefined),
    max: first?.max ?? undefined,
  });
  const shown = (panel.options?.["legend"] as { showLegend?: boolean } | undefined)?.showLegend !== false;
  return svg(
    {
      color: PALETTE,
      grid: { left: 8, right: 14, top: 12, bottom: shown ? 30 : 6, containLabel: true },
      legend: {
        show: shown,
        type: "scroll",
        bottom: 0,
        left: 0,
        icon: "roundRect",
        itemWidth: 12,
        itemHeight: 4,
        itemGap: 26,
        textStyle: legendText,
        pageIconSize: 9,
      },
      xAxis: timeAxis(view),
      yAxis: units.slice(0, 2).map(axis),
      series: lines.map((line) => {
        const { drawStyle, fillOpacity, stacking, lineWidth, pointSize } = custom(line);
        const stacked = (stacking as { mode?: string } | undefined)?.mode === "normal";
        const colour = appearance(line.field, lastOf(line.field.values)).colour;
        return {
          name: line.field.title,
          type: drawStyle === "bars" ? "bar" : drawStyle === "points" ? "scatter" : "line",
          yAxisIndex: Math.min(1, units.indexOf(line.field.config.unit ?? "none")),
          data: pointsOf(line),
          symbolSize: Number(pointSize ?? 4),
          showSymbol: line.field.values.length < 40,
          ...{ itemStyle: { color: colour }, lineStyle: { width: Number(lineWidth ?? 1), color: colour } },
          areaStyle:
            Number(fillOpacity) > 0 && drawStyle !== "bars"
              ? { opacity: Number(fillOpacity) / 100, color: colour }
              : undefined,
          stack: stacked ? "all" : undefined,
          markLine: thresholdLines(line.field),
        };
      }),
    },
    size,
  );
}

function thresholdLines({ config }: Styled) {
  const style = config.custom?.["thresholdsStyle"] as { mode?: string } | undefined;
  if (!style || style.mode === "off") return undefined;
  const steps = (config.thresholds?.steps ?? []).filter(({ value }) => value !== null);
  return {
    ...{ symbol: "none", silent: true, label: { show: false } },
    data: steps.map(({ value }) => ({
      yAxis: value,
      lineStyle: { type: "dashed", color: thresholdColour(config, Number(value)) },
    })),
  };
}

/** A line under a big number. */
export function sparkline(line: Line, colour: string, view: View, size: Size): string {
  return svg(
    {
      grid: { left: 0, right: 0, top: 2, bottom: 0 },
      xAxis: { type: "time", show: false, min: view.from, max: view.to },
      yAxis: { type: "value", show: false, scale: true },
      series: [
        {
          type: "line",
          data: pointsOf(line),
          showSymbol: false,
          lineStyle: { width: 1, color: colour },
          areaStyle: { opacity: 0.2, color: colour },
        },
      ],
    },
    size,
  );
}

/** Horizontal bars, each with its value. */
export function barGauge(fields: readonly Styled[], size: Size): string {
  const values = fields.map((field) => Number(lastOf(field.values)));
  return svg(
    {
      grid: { left: 24, right: 70, top: 4, bottom: 4, containLabel: true },
      xAxis: { type: "value", show: false, min: Math.min(0, ...values) },
      yAxis: {
        type: "category",
        inverse: true,
        data: fields.map(({ title }) => title),
        axisLabel: { ...label, interval: 0 },
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: [
        {
          type: "bar",
          barMaxWidth: 22,
          data: fields.map((field, index) => {
            const { colour, text } = appearance(field, values[index]);
            return {
              value: values[index],
              itemStyle: { color: colour },
              label: { show: true, position: "right", formatter: text, color: TEXT },
            };
          }),
        },
      ],
    },
    size,
  );
}
