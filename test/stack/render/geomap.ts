import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import { GRID, label, legendText, type Size, svg } from "./charts.ts";
import { appearance, colourOf, type Styled } from "./style.ts";

/** Layers of markers at their coordinates; without the tiles of a map. */
export function geomap(
  panel: Panel,
  frames: readonly { refId: string; fields: readonly Styled[] }[],
  size: Size,
): string {
  const layers = (panel.options?.["layers"] ?? []) as readonly MapLayer[];
  const series = layers.map(({ name, filterData, location, config }) => {
    const frame = frames.find(({ refId }) => !filterData || refId === filterData.options) ?? { fields: [] };
    const find = (field: string | undefined) => frame.fields.find((one) => one.name === field);
    const [lat, lon] = [find(location?.latitude ?? "lat"), find(location?.longitude ?? "lon")];
    const { color, size: symbol, text } = config?.style ?? {};
    const [byColour, byText] = [find(color?.field), find(text?.field)];
    return {
      name,
      type: "scatter",
      itemStyle: { color: colourOf(color?.fixed ?? "blue") },
      symbolSize: symbol?.fixed ?? 6,
      data: (lat?.values ?? []).map((_, row) => ({
        value: [Number(lon?.values[row]), Number(lat?.values[row])],
        itemStyle: {
          color: byColour ? appearance(byColour, byColour.values[row]).colour : colourOf(color?.fixed ?? "blue"),
        },
        label: {
          show: byText !== undefined,
          formatter: String(byText?.values[row] ?? ""),
          position: "bottom",
          ...label,
        },
      })),
    };
  });
  const axis = {
    type: "value",
    scale: true,
    axisLabel: { ...label, formatter: (value: number) => `${value.toFixed(2)}°` },
    splitLine: { lineStyle: { color: GRID } },
  };
  return svg(
    {
      grid: { left: 12, right: 24, top: 24, bottom: 30, containLabel: true },
      legend: { bottom: 0, icon: "circle", itemWidth: 8, textStyle: legendText },
      xAxis: axis,
      yAxis: axis,
      series,
    },
    size,
  );
}

interface MapLayer {
  readonly name: string;
  readonly filterData?: { readonly options: string };
  readonly location?: { readonly latitude?: string; readonly longitude?: string };
  readonly config?: {
    readonly style?: {
      readonly color?: { readonly field?: string; readonly fixed?: string };
      readonly size?: { readonly fixed?: number };
      readonly text?: { readonly field?: string };
    };
  };
}
