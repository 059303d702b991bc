import { type EChartsOption, init } from "echarts";

/** Plots have a background of their own, so that they can be read on light and on dark pages. */
export const COLOURS = {
  text: "#24292f",
  faint: "#6e7781",
  grid: "#d8dee4",
  pass: "#1a7f64",
  fail: "#cf222e",
  page: "#ffffff",
};
const FONT = "system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif";

/** Draws a chart in memory. */
export function svg(option: EChartsOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: COLOURS.page,
    textStyle: { fontFamily: FONT, color: COLOURS.text },
    ...option,
  });
  const drawn = chart.renderToSVGString();
  chart.dispose();
  return `${drawn}\n`;
}

export const figureText = (value: number): string => value.toLocaleString("en", { maximumSignificantDigits: 3 });
