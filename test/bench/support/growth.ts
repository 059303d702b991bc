import type { LineSeriesOption, XAXisComponentOption, YAXisComponentOption } from "echarts";
import type { Bar, Line } from "./bench.ts";
import { COLOURS, figureText, svg } from "./plot.ts";

/** One figure of the collector bench over the number of kits. */
interface Panel {
  readonly title: string;
  readonly unit: string;
  /** Names of lines, without their number of kits, and what to call their curves. */
  readonly curves: Readonly<Record<string, string>>;
  /** What figures are multiplied by. */
  readonly times?: number;
  readonly max?: number;
}

const PANELS: readonly Panel[] = [
  {
    ...{ title: "Rows stored, of those offered", unit: "%", times: 100, max: 100 },
    curves: { "rows stored, of those offered": "" },
  },
  {
    ...{ title: "Gap between polls of a kit", unit: "s" },
    curves: { "gap between polls, p99": "p99", "gap between polls, p50": "p50" },
  },
  {
    ...{ title: "CPU", unit: "cores" },
    curves: {
      "CPU of gleaner": "gleaner",
      "CPU of PostgreSQL": "PostgreSQL",
      "CPU of the simulated kits": "simulated kits",
    },
  },
  { ...{ title: "Memory of gleaner", unit: "MB" }, curves: { "RSS of gleaner": "" } },
];

const CURVES = ["#0969da", "#bc4c00", "#8250df"];
const [HEAD, COLUMNS, WIDTH, HEIGHT] = [50, 2, 550, 260];

/** Where a panel is. */
const place = (i: number) => ({ left: (i % COLUMNS) * WIDTH, top: HEAD + Math.floor(i / COLUMNS) * HEIGHT });

/** The lines of one figure, by number of kits. */
function byKits(lines: readonly Line[], figure: string): (readonly [kits: number, line: Line])[] {
  return lines.flatMap((line) => {
    const [, kits, what] = /^(\d+) kits: (.*)$/.exec(line.what) ?? [];
    return what === figure && Number.isFinite(line.ours) ? [[Number(kits), line] as const] : [];
  });
}

function xAxis(gridIndex: number, max: number): XAXisComponentOption {
  return {
    ...{ gridIndex, type: "value", min: 0, max, name: "kits", nameLocation: "middle", nameGap: 24 },
    nameTextStyle: { color: COLOURS.faint },
    axisLabel: { color: COLOURS.faint, formatter: (value: number) => value.toLocaleString("en") },
    splitLine: { show: false },
  };
}

function yAxis(gridIndex: number, { max }: Panel): YAXisComponentOption {
  return {
    ...{ gridIndex, type: "value", min: 0, ...(max ? { max, interval: max / 4 } : { splitNumber: 4 }) },
    axisLabel: { color: COLOURS.faint },
    splitLine: { lineStyle: { color: COLOURS.grid } },
  };
}

function barLine({ op, value }: Bar, times: number): NonNullable<LineSeriesOption["markLine"]> {
  const formatter = `bar ${op === ">=" ? "≥" : "≤"} ${figureText(value * times)}`;
  return {
    ...{ silent: true, symbol: "none", data: [{ yAxis: value * times }] },
    lineStyle: { color: COLOURS.text, type: "dashed" },
    label: { formatter, position: "insideStartTop", color: COLOURS.text },
  };
}

function curves(lines: readonly Line[], panel: Panel, i: number): LineSeriesOption[] {
  const { times = 1 } = panel;
  return Object.entries(panel.curves).map(([figure, name], curve) => {
    const points = byKits(lines, figure);
    const bar = points[0]?.[1].bar;
    const color = CURVES[curve] ?? COLOURS.text;
    return {
      ...{ type: "line", name, xAxisIndex: i, yAxisIndex: i, symbol: "circle", symbolSize: 7, color },
      data: points.map(([kits, { ours }]) => [kits, ours * times]),
      lineStyle: { width: 2 },
      endLabel: { show: name !== "", formatter: "{a}", color, distance: 8 },
      labelLayout: { moveOverlap: "shiftY" },
      ...(bar ? { markLine: barLine(bar, times) } : {}),
    };
  });
}

/** What becomes of the collector as its fleet grows: a panel a figure, with its bar. */
export function growth(lines: readonly Line[]): string {
  const figures = PANELS.flatMap((panel) => Object.keys(panel.curves));
  const largest = Math.max(...figures.flatMap((figure) => byKits(lines, figure)).map(([kits]) => kits));
  const title = (text: string, left: number, top: number, fontSize: number) => ({
    ...{ text, left, top, textStyle: { fontSize, color: COLOURS.text } },
  });
  return svg(
    {
      title: [
        title("The collector as its fleet grows", 16, 12, 16),
        ...PANELS.map(({ title: text, unit }, i) => title(`${text} (${unit})`, place(i).left + 56, place(i).top, 13)),
      ],
      grid: PANELS.map((_, i) => ({
        ...{ left: place(i).left + 60, top: place(i).top + 32, width: WIDTH - 190, height: HEIGHT - 84 },
      })),
      xAxis: PANELS.map((_, i) => xAxis(i, largest)),
      yAxis: PANELS.map((panel, i) => yAxis(i, panel)),
      series: PANELS.flatMap((panel, i) => curves(lines, panel, i)),
    },
    COLUMNS * WIDTH,
    HEAD + (PANELS.length / COLUMNS) * HEIGHT,
  );
}
