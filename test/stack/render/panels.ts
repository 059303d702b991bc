import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import type { Frame } from "../grafana/frames.ts";
import { lengthOf } from "../grafana/frames.ts";
import type { View } from "../grafana/range.ts";
import { barGauge, linesOf, type Size, sparkline, timeseries } from "./charts.ts";
import { geomap } from "./geomap.ts";
import { appearance, escapeHtml, reduced, type Styled, styled } from "./style.ts";
import { stateTimeline } from "./timeline.ts";

/** An alert for the list of alerts, which Grafana fills from its own alerting. */
export interface ListedAlert {
  readonly name: string;
  readonly subject: string;
  readonly state: string;
}

/** What a panel is drawn from besides its own settings. */
export interface Drawn {
  readonly frames: readonly Frame[];
  readonly view: View;
  readonly size: Size;
  readonly alerts: readonly ListedAlert[];
}

/** Draws the inside of a panel as HTML. @throws {Error} for a type that is not known here */
export function drawPanel(panel: Panel, { frames, view, size, alerts }: Drawn): string {
  if (panel.type === "alertlist") return alertList(alerts);
  const fields = styled(panel, frames);
  const empty = fields.flat().every(({ values }) => values.length === 0);
  if (empty) return `<div class="nothing">${escapeHtml(panel.fieldConfig?.defaults.noValue ?? "No data")}</div>`;
  switch (panel.type) {
    case "stat":
      return stat(panel, fields, view, size);
    case "timeseries":
      return timeseries(panel, fields, view, size);
    case "state-timeline":
      return stateTimeline(panel, fields, view, size);
    case "table":
      return table(fields[0] ?? [], size);
    case "bargauge":
      return barGauge(
        fields.flat().filter(({ type }) => type === "number"),
        size,
      );
    case "geomap":
      return geomap(
        panel,
        frames.map(({ refId }, index) => ({ refId, fields: fields[index] ?? [] })),
        size,
      );
    default:
      throw new Error(`panels of type ${panel.type} are not known here`);
  }
}

/** Each value big, side by side or one below the other, with a line of how it came to be. */
function stat(panel: Panel, frames: readonly Styled[][], view: View, size: Size): string {
  const { textMode, colorMode, graphMode, orientation, reduceOptions } = (panel.options ?? {}) as Readonly<
    Record<string, unknown>
  >;
  const { calcs = [], values } = (reduceOptions ?? {}) as { calcs?: string[]; values?: boolean };
  const numbers = frames.flat().filter(({ type }) => type === "number");
  const texts = frames.flat().filter(({ type }) => type === "string");
  const shown = (numbers.length > 0 ? numbers : texts).flatMap((field) =>
    values ? field.values.map((value) => ({ field, value })) : [{ field, value: reduced(field.values, calcs[0]) }],
  );
  const isColumn = orientation === "horizontal" || (orientation !== "vertical" && size.height > size.width);
  const withName = textMode === "value_and_name" || (textMode !== "value" && shown.length > 1);
  const one = {
    width: isColumn ? size.width : size.width / shown.length,
    height: isColumn ? size.height / shown.length : size.height,
  };
  const cells = shown.map(({ field, value }) => {
    const { text, colour } = appearance(field, value);
    const fits = Math.min(one.height * (withName ? 0.4 : 0.55), (one.width * 1.6) / Math.max(4, text.length), 54);
    const line = linesOf(frames).find((candidate) => candidate.field === field);
    const graph =
      graphMode === "area" && line && line.time.values.length > 1
        ? sparkline(line, colour, view, { width: one.width, height: one.height * 0.35 })
        : "";
    const isFilled = colorMode === "background" || colorMode === "background_solid";
    const style = isFilled ? `background:${colour};color:#111217` : `color:${colour}`;
    return `<div class="cell" style="${style}">
      ${withName ? `<div class="name">${escapeHtml(field.title)}</div>` : ""}
      <div style="font-size:${Math.max(14, fits)}px;font-weight:500;white-space:nowrap">${escapeHtml(text)}</div>
      <div class="spark">${graph}</div></div>`;
  });
  return `<div class="cells" style="flex-direction:${isColumn ? "column" : "row"}">${cells.join("")}</div>`;
}

const ROW_HEIGHT = 27;

function table(fields: readonly Styled[], { height }: Size): string {
  const shown = fields.filter(({ config }) => config.custom?.["hidden"] !== true);
  const all = lengthOf({ refId: "", fields: shown });
  const rows = Math.min(all, Math.max(1, Math.floor(height / ROW_HEIGHT) - 1));
  const head = shown
    .map((field) => `<th style="text-align:${alignOf(field)}">${escapeHtml(field.title)}</th>`)
    .join("");
  const body = Array.from({ length: rows }, (_, row) => `<tr>${shown.map((field) => cell(field, row)).join("")}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

/** Numbers stand on the right, unless they are shown as words. */
const alignOf = ({ type, config }: Styled) => (type === "number" && !config.mappings?.length ? "right" : "left");

function cell(field: Styled, row: number): string {
  const value = field.values[row];
  const kind = (field.config.custom?.["cellOptions"] as { type?: string } | undefined)?.type ?? "auto";
  const isTime = field.type === "time" && value !== null && field.config.unit !== "dateTimeFromNow";
  const { text, colour } = isTime
    ? { text: new Date(Number(value)).toISOString().slice(0, 19).replace("T", " "), colour: "" }
    : appearance(field, value);
  const style = kind.startsWith("color-background")
    ? `background:${colour};color:#111217`
    : kind === "color-text"
      ? `color:${colour}`
      : "";
  return `<td style="text-align:${alignOf(field)};${style}">${escapeHtml(text)}</td>`;
}

function alertList(alerts: readonly ListedAlert[]): string {
  if (alerts.length === 0) return `<div class="nothing">No alert</div>`;
  const rows = alerts.map(
    ({ name, subject, state }) =>
      `<tr><td class="${state}">${state}</td><td>${escapeHtml(name)}</td><td>${escapeHtml(subject)}</td></tr>`,
  );
  return `<table><tbody>${rows.join("")}</tbody></table>`;
}
