import { suggestion } from "../../config/closest.ts";
import type { Path } from "../../config/problem.ts";
import { type Finding, repeated } from "../document.ts";
import { fieldDefaults } from "./fields.ts";
import { PANEL_TYPES } from "./panels.ts";
import { type DashboardRule, WITHOUT_QUERIES } from "./rule.ts";
import type { CheckedDashboard, PlacedPanel } from "./structure.ts";

const eachPanel = (check: (placed: PlacedPanel, subject: CheckedDashboard) => readonly Finding[]) =>
  ((subject) => subject.panels.flatMap((placed) => check(placed, subject))) satisfies DashboardRule["check"];

const hasData = ({ panel }: PlacedPanel) => !WITHOUT_QUERIES.includes(panel.type);

function ids({ panels, rows }: CheckedDashboard): Finding[] {
  const seen = new Map<string, string>();
  const all = [...rows.map(({ row, path }) => ({ panel: row, path })), ...panels];
  return all.flatMap(({ panel, path }) => {
    const at = { where: `panel ${JSON.stringify(panel.title)}`, path: [...path, "id"], what: "an id" };
    return repeated(seen, panel.id, at);
  });
}

function refIds({ panel, path }: PlacedPanel): Finding[] {
  const seen = new Map<string, string>();
  return (panel.targets ?? []).flatMap(({ refId }, index) =>
    repeated(seen, refId, {
      ...{ where: `targets[${index}]`, path: [...path, "targets", index, "refId"] },
      what: "a refId",
    }),
  );
}

function titled({ panel, path }: PlacedPanel): Finding[] {
  const missing = (["title", "description"] as const).filter((key) => !panel[key]?.trim());
  return missing.map((key) => ({ path: [...path, key], message: `expected a ${key}: what does the panel answer?` }));
}

/** The unit may be left out where values are shown as words. */
function unit({ panel, path }: PlacedPanel): Finding[] {
  const { unit, mappings } = panel.fieldConfig?.defaults ?? {};
  if (!PANEL_TYPES[panel.type]?.hasUnit || unit || mappings?.length || panel.options?.["textMode"] === "name")
    return [];
  const message = 'expected a unit ("short" or "none" for a plain number), or value mappings';
  return [{ path: [...path, "fieldConfig", "defaults", "unit"], message }];
}

function noValue(placed: PlacedPanel): Finding[] {
  if (!hasData(placed) || placed.panel.fieldConfig?.defaults.noValue?.trim()) return [];
  const message = "expected what to show when there is no data: nothing happened, or something is wrong?";
  return [{ path: [...placed.path, "fieldConfig", "defaults", "noValue"], message }];
}

function targets(placed: PlacedPanel): Finding[] {
  const { panel, path, queries } = placed;
  if (!hasData(placed)) return [];
  if (!panel.targets?.length) return [{ path: [...path, "targets"], message: "expected a query" }];
  return queries
    .filter(({ text }) => text.trim() === "")
    .map((query) => ({ path: query.path, message: "expected a query, this one is empty" }));
}

/** Properties that an override may set: those of the defaults, and the custom ones of the panel's type. */
function overrides({ panel, path }: PlacedPanel): Finding[] {
  const custom = PANEL_TYPES[panel.type]?.custom;
  if (!custom) return [];
  const known = [...Object.keys(fieldDefaults.shape), ...Object.keys(custom.shape).map((key) => `custom.${key}`)];
  return (panel.fieldConfig?.overrides ?? []).flatMap(({ properties }, index) =>
    properties.flatMap(({ id }, property) => {
      // `custom.hideFrom` is the base of `custom.hideFrom.viz`.
      if (known.some((key) => id === key || (key.startsWith("custom.") && id.startsWith(`${key}.`)))) return [];
      const at: Path = [...path, "fieldConfig", "overrides", index, "properties", property, "id"];
      return [{ path: at, message: `a ${panel.type} panel has no such property${suggestion(id, known)}` }];
    }),
  );
}

interface Box {
  readonly title: string;
  readonly path: Path;
  readonly at: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const overlap = ({ at: a }: Box, { at: b }: Box) =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Panels of one level must fit the 24 columns, and none may lie over another. */
function layout({ panels, rows }: CheckedDashboard): Finding[] {
  const box = ({ path, panel }: Pick<PlacedPanel, "path"> & { panel: { title: string; gridPos: Box["at"] } }): Box => ({
    ...{ title: panel.title, path: [...path, "gridPos"], at: panel.gridPos },
  });
  const all = [...rows.map(({ row, path }) => box({ path, panel: row })), ...panels.map(box)];
  const levels = Map.groupBy(all, ({ path }) => String(path.slice(0, -3)));
  return [...levels.values()].flatMap((level) => {
    const wide = level.filter(({ at }) => at.x + at.w > 24);
    const over = level.flatMap((one, index) => {
      const other = level.slice(0, index).find((before) => overlap(before, one));
      return other ? [{ path: one.path, message: `lies over the panel ${JSON.stringify(other.title)}` }] : [];
    });
    return [...wide.map(({ path }) => ({ path, message: "expected x + w to be at most 24" })), ...over];
  });
}

export const PANEL_RULES: readonly DashboardRule[] = [
  { id: "panel-id", check: ids },
  { id: "target-ref-id", check: eachPanel(refIds) },
  { id: "panel-title-description-rule", check: eachPanel(titled) },
  { id: "panel-units-rule", check: eachPanel(unit) },
  { id: "panel-no-value", check: eachPanel(noValue) },
  { id: "panel-no-targets-rule", check: eachPanel(targets) },
  { id: "panel-override", check: eachPanel(overrides) },
  { id: "panel-layout", check: layout },
];
