import type { CheckedDashboard } from "../../../src/artefacts/dashboards/structure.ts";
import type { Frame } from "../grafana/frames.ts";
import type { View } from "../grafana/range.ts";
import { asText, type Chosen, interpolate } from "../grafana/variables.ts";
import { drawPanel, type ListedAlert } from "./panels.ts";
import { escapeHtml } from "./style.ts";

/** Grafana's grid: height of a row and the gap between panels (px), and how many columns there are. */
const ROW = 30;
const GAP = 8;
const COLUMNS = 24;
const MARGIN = 16;
/** Width of the pictures (px). */
export const WIDTH = 1_920;
/** The lines above the panels. */
const HEAD = 92;
const TITLE = 32;
const PADDING = 8;

const CSS = `
  * { box-sizing: border-box; margin: 0; }
  body { background: #111217; color: #CCCCDC; font: 13px Inter, Helvetica, Arial, sans-serif; width: ${WIDTH}px; position: relative; }
  header { padding: 14px ${MARGIN}px 0; height: ${HEAD}px; }
  h1 { font-size: 20px; font-weight: 500; }
  .not { color: #9fa0aa; float: right; font-size: 13px; }
  .variables span { display: inline-block; border: 1px solid #2c2f38; margin: 10px 8px 0 0; padding: 4px 8px; border-radius: 2px; }
  .variables b { font-weight: 500; color: #6e9fff; margin-right: 6px; }
  section, .row { position: absolute; }
  section { background: #181b1f; border: 1px solid #22252b; border-radius: 2px; overflow: hidden; }
  h2 { font-size: 14px; font-weight: 500; padding: 8px ${PADDING}px; height: ${TITLE}px; white-space: nowrap; }
  .inside { padding: 0 ${PADDING}px ${PADDING}px; height: calc(100% - ${TITLE}px); overflow: hidden; }
  .row { font-size: 15px; padding-top: 6px; }
  .nothing { height: 100%; display: flex; align-items: center; justify-content: center; color: #9fa0aa; }
  .cells { display: flex; height: 100%; gap: 6px; }
  .cell { flex: 1; min-width: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; position: relative; border-radius: 2px; overflow: hidden; }
  .cell .name { font-size: 13px; opacity: 0.9; white-space: nowrap; }
  .spark { position: absolute; left: 0; bottom: 0; opacity: 0.8; }
  table { border-collapse: collapse; width: 100%; }
  th { text-align: left; color: #6e9fff; font-weight: 500; }
  th, td { height: 27px; padding: 0 6px; border-bottom: 1px solid #22252b; white-space: nowrap; max-width: 420px; overflow: hidden; text-overflow: ellipsis; }
  .firing { color: #F2495C; } .pending { color: #FF9830; }`;

/** What a dashboard's picture is made from. */
export interface Shot {
  readonly subject: CheckedDashboard;
  readonly chosen: Chosen;
  /** By panel id. */
  readonly frames: ReadonlyMap<number, readonly Frame[]>;
  readonly view: View;
  readonly alerts: readonly ListedAlert[];
}

/** A page with a dashboard's layout; rows that are collapsed are closed here too. */
export function pageOf({ subject, chosen, frames, view, alerts }: Shot): {
  readonly html: string;
  readonly height: number;
} {
  const { dashboard, panels, rows } = subject;
  const column = (WIDTH - 2 * MARGIN + GAP) / COLUMNS;
  const place = ({ x, y, w, h }: { x: number; y: number; w: number; h: number }) => ({
    ...{
      left: MARGIN + x * column,
      top: HEAD + y * (ROW + GAP),
      width: w * column - GAP,
      height: h * (ROW + GAP) - GAP,
    },
  });
  const css = (box: ReturnType<typeof place>) =>
    Object.entries(box)
      .map(([key, value]) => `${key}:${value}px`)
      .join(";");
  const titled = (title: string) => escapeHtml(interpolate(title, chosen, asText));
  const open = panels.filter(({ path }) => path.length === 2);
  const drawn = open.map(({ panel }) => {
    const box = place(panel.gridPos);
    const size = { width: box.width - 2 * PADDING - 2, height: box.height - TITLE - PADDING - 2 };
    const inside = drawPanel(panel, { frames: frames.get(panel.id) ?? [], view, size, alerts });
    return `<section style="${css(box)}"><h2>${titled(panel.title)}</h2><div class="inside">${inside}</div></section>`;
  });
  const headings = rows.map(({ row }) => {
    const count = row.panels.length;
    const more = row.collapsed ? ` (${count} ${count === 1 ? "panel" : "panels"})` : "";
    return `<div class="row" style="${css(place(row.gridPos))}">${row.collapsed ? "›" : "⌄"} ${titled(row.title)}${more}</div>`;
  });
  const labels = dashboard.templating.list
    .filter(({ type, hide }) => type !== "datasource" && hide !== 2)
    .map(({ name, label, ...variable }) => {
      const isAll = "includeAll" in variable && variable.includeAll;
      return `<span><b>${escapeHtml(label ?? name)}</b>${escapeHtml(isAll ? "All" : asText(chosen.get(name) ?? ""))}</span>`;
    });
  const boxes = [...open.map(({ panel }) => panel.gridPos), ...rows.map(({ row }) => row.gridPos)].map(place);
  const height = Math.ceil(Math.max(...boxes.map(({ top, height }) => top + height)) + MARGIN);
  const head = `<header><span class="not">layout and queries of the dashboard, not drawn by Grafana</span><h1>${escapeHtml(dashboard.title)}</h1><div class="variables">${labels.join("")}</div></header>`;
  const html = `<!doctype html><meta charset="utf-8"><style>${CSS}</style><body style="height:${height}px">${head}${headings.join("")}${drawn.join("")}</body>`;
  return { html, height };
}
