import type { Panel, RowPanel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Tile } from "./panels.ts";

/** Width of Grafana's grid. */
export const COLUMNS = 24;

/** Panels that stay folded until somebody asks for them. */
export interface Folded {
  readonly title: string;
  readonly tiles: readonly Tile[];
}

/** Puts the tiles left to right, top to bottom, in bands as high as their highest; then the folded rows. */
export function layOut(tiles: readonly Tile[], folded: readonly Folded[] = []): (Panel | RowPanel)[] {
  const open = placed(tiles, 0);
  let y = open.height;
  const rows = folded.map(({ title, tiles: inner }) => {
    const { panels } = placed(inner, y + 1);
    const row: RowPanel = {
      ...{ type: "row" as const, title, collapsed: true, id: idOf(`row ${title}`) },
      ...{ gridPos: { x: 0, y, w: COLUMNS, h: 1 }, panels: [...panels] },
    };
    y += 1;
    return row;
  });
  return [...open.panels, ...rows];
}

function placed(tiles: readonly Tile[], top: number): { readonly panels: readonly Panel[]; readonly height: number } {
  let [x, y, bandHeight] = [0, top, 0];
  const panels = tiles.map(({ panel, w, h }) => {
    if (x + w > COLUMNS) [x, y, bandHeight] = [0, y + bandHeight, 0];
    const put = { ...panel, id: idOf(panel.title ?? ""), gridPos: { x, y, w, h } };
    x += w;
    bandHeight = Math.max(bandHeight, h);
    return put;
  });
  return { panels, height: y + bandHeight - top };
}

/**
 * A panel's id, from its title: another panel put before it must not move the ids that links and alert rules have.
 * FNV-1a, folded to six digits.
 */
export function idOf(title: string): number {
  let hash = 0x811c9dc5;
  for (const character of title) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (hash % 999_999) + 1;
}
