import type { Line } from "./bench.ts";
import { COLOURS, figureText, svg } from "./plot.ts";

/** How many times better than its bar a line is: 1 is the bar itself, whichever way it counts. */
export function timesBetter({ ours, ratio, bar }: Line): number {
  if (!bar) return Number.NaN;
  const value = bar.of === "ratio" ? ratio : ours;
  return bar.op === ">=" ? value / bar.value : bar.value / value;
}

const barText = ({ ours, ratio, bar, unit }: Line): string =>
  bar
    ? `${figureText(bar.of === "ratio" ? ratio : ours)}${bar.of === "ratio" ? "×" : ` ${unit}`} (${bar.op === ">=" ? "≥" : "≤"} ${figureText(bar.value)})`
    : "";

const ROW = 24;

/** Every line that has a bar: how far on the good side of it. */
export function overview(lines: readonly Line[]): string {
  const barred = lines.filter((line) => line.bar && Number.isFinite(timesBetter(line)));
  const most = Math.max(...barred.map(timesBetter));
  const names = {
    type: "category",
    inverse: true,
    position: "left",
    axisTick: { show: false },
    axisLine: { show: false },
  } as const;
  const data = barred.map((line, i) => ({
    value: [timesBetter(line), i],
    itemStyle: { color: line.pass ? COLOURS.pass : COLOURS.fail, opacity: 1 },
    label: { formatter: barText(line) },
  }));
  return svg(
    {
      title: {
        text: "How many times better than its bar",
        subtext: "Right of the line is better; the figure, and the bar it has to reach, stand beside it. Logarithmic.",
        left: 16,
        top: 12,
        textStyle: { fontSize: 16, color: COLOURS.text },
        subtextStyle: { fontSize: 12, color: COLOURS.faint },
      },
      grid: { left: 480, right: 160, top: 96, bottom: 36 },
      xAxis: {
        type: "log",
        min: Math.min(0.5, ...barred.map((line) => 0.8 * timesBetter(line))),
        max: 1.3 * most,
        axisLabel: { formatter: (value: number) => `${figureText(value)}×`, color: COLOURS.faint },
        splitLine: { lineStyle: { color: COLOURS.grid } },
      },
      yAxis: [
        {
          ...names,
          data: barred.map(({ what, against }) => (against ? `${what} / ${against}` : what)),
          axisLabel: { interval: 0, color: COLOURS.text },
        },
        {
          ...names,
          offset: 464,
          data: barred.map(({ bench }, i) => (bench === barred[i - 1]?.bench ? "" : bench)),
          axisLabel: { interval: 0, align: "left", margin: 0, color: COLOURS.text, fontWeight: "bold" },
        },
      ],
      series: [
        {
          type: "scatter",
          symbolSize: 11,
          data,
          label: { show: true, position: "right", color: COLOURS.text, fontSize: 11 },
          markLine: {
            silent: true,
            symbol: "none",
            data: [{ xAxis: 1 }],
            label: { formatter: "the bar", position: "start", color: COLOURS.text },
            lineStyle: { color: COLOURS.text, type: "solid", width: 1.5 },
          },
        },
      ],
    },
    1_100,
    132 + ROW * barred.length,
  );
}
