import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import type { View } from "../grafana/range.ts";
import { type Line, label, linesOf, type Size, svg, timeAxis } from "./charts.ts";
import { appearance, type Styled } from "./style.ts";

/** Bars of one state each, as long as it lasted. */
export function stateTimeline(panel: Panel, frames: readonly Styled[][], view: View, size: Size): string {
  const perPage = Number(panel.options?.["perPage"] ?? 20);
  const lines = linesOf(frames).slice(0, perPage);
  const names = lines.map(({ field }) => field.title);
  const bars = lines.flatMap((line, row) => stretchesOf(line, view).map((bar) => ({ ...bar, row })));
  return svg(
    {
      grid: { left: 8, right: 14, top: 6, bottom: 6, containLabel: true },
      xAxis: timeAxis(view),
      yAxis: {
        type: "category",
        data: names,
        inverse: true,
        axisLabel: { ...label, interval: 0 },
        axisTick: { show: false },
      },
      series: [
        {
          type: "custom",
          clip: true,
          data: bars.map(({ row, from, to, text, colour }) => ({
            value: [row, from, to, text],
            itemStyle: { color: colour },
          })),
          encode: { x: [1, 2], y: 0 },
          renderItem: (_: unknown, api: TimelineApi) => {
            const [start, end] = [api.coord([api.value(1), api.value(0)]), api.coord([api.value(2), api.value(0)])];
            const height = api.size([0, 1])[1] * 0.8;
            const width = Math.max(1, end[0] - start[0]);
            const shape = { x: start[0], y: start[1] - height / 2, width, height };
            const room = width > 7 * String(api.value(3)).length + 8;
            return {
              type: "group",
              children: [
                { type: "rect", shape, style: { fill: api.visual("color"), opacity: 0.8 } },
                ...(room && height > 10
                  ? [
                      {
                        type: "text",
                        style: {
                          text: String(api.value(3)),
                          x: start[0] + 4,
                          y: start[1],
                          fill: "#111217",
                          verticalAlign: "middle",
                          fontSize: 11,
                        },
                      },
                    ]
                  : []),
              ],
            };
          },
        },
      ],
    },
    size,
  );
}

interface TimelineApi {
  value(dimension: number): number;
  coord(point: readonly [number, number]): readonly [number, number];
  size(value: readonly [number, number]): readonly [number, number];
  visual(name: string): string;
}

/** Values that stay the same, with their beginning and end. */
function stretchesOf({ time, field }: Line, view: View) {
  const stretches: { from: number; to: number; value: unknown; text: string; colour: string }[] = [];
  time.values.forEach((at, row) => {
    const value = field.values[row];
    const last = stretches.at(-1);
    if (last) last.to = Number(at);
    if (value !== last?.value) stretches.push({ from: Number(at), to: Number(at), value, ...appearance(field, value) });
  });
  const last = stretches.at(-1);
  if (last) last.to = Math.max(last.to, Math.min(view.to, last.to + 30_000));
  return stretches.filter(({ value }) => value !== null);
}
