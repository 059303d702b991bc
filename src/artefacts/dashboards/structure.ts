import type { Path } from "../../config/problem.ts";
import type { Document } from "../document.ts";
import { PANEL_TYPES } from "./panels.ts";
import { promTarget, type Query, queriesOf, sqlTarget } from "./queries.ts";
import { type Dashboard, dashboardSchema, type Panel, panelSchema, type Row, rowSchema } from "./schema.ts";
import { transformation } from "./transformations.ts";

/** A panel with its place in the file. */
export interface PlacedPanel {
  readonly panel: Panel;
  readonly path: Path;
  readonly queries: readonly Query[];
}

/** A dashboard whose structure is right. */
export interface CheckedDashboard {
  readonly document: Document;
  readonly dashboard: Dashboard;
  readonly rows: readonly { readonly row: Row; readonly path: Path }[];
  /** All panels, those in rows too, in the order of the file. */
  readonly panels: readonly PlacedPanel[];
}

export type Structure =
  | { readonly checked: CheckedDashboard; readonly problems: readonly [] }
  | { readonly checked: undefined; readonly problems: readonly string[] };

/** Holds a dashboard to the structure that Grafana knows: keys, types, and what each type of panel and query takes. */
export function readDashboard(document: Document): Structure {
  const failed = (problems: readonly string[]): Structure => ({ checked: undefined, problems });
  if (document.problems.length > 0) return failed(document.problems);
  const outer = document.validate(dashboardSchema, document.value);
  if (outer.value === undefined) return failed(outer.problems);
  const dashboard = outer.value;
  const problems: string[] = [];
  const rows: { row: Row; path: Path }[] = [];
  const panels: PlacedPanel[] = [];
  for (const [index, raw] of dashboard.panels.entries()) {
    const path = ["panels", index];
    if (raw.type === "row") {
      const { value: row, problems: wrong } = document.validate(rowSchema, raw, path);
      problems.push(...wrong);
      if (row === undefined) continue;
      rows.push({ row, path });
      for (const [inner, panel] of row.panels.entries()) panels.push(placed(panel, [...path, "panels", inner]));
    } else {
      const { value: panel, problems: wrong } = document.validate(panelSchema, raw, path);
      problems.push(...wrong);
      if (panel !== undefined) panels.push(placed(panel, path));
    }
  }
  problems.push(...panels.flatMap((panel) => inner(document, panel)));
  return problems.length > 0 ? failed(problems) : { checked: { document, dashboard, rows, panels }, problems: [] };
}

const placed = (panel: Panel, path: Path): PlacedPanel => ({ panel, path, queries: queriesOf(panel, path) });

/** What is wrong with the parts of a panel that depend on its type. */
function inner(document: Document, { panel, path }: PlacedPanel): string[] {
  const type = PANEL_TYPES[panel.type];
  const { options, targets = [], transformations = [] } = panel;
  const custom = panel.fieldConfig?.defaults.custom;
  const wrong = [
    ...(type && options ? document.validate(type.options, options, [...path, "options"]).problems : []),
    ...(type?.custom && custom
      ? document.validate(type.custom, custom, [...path, "fieldConfig", "defaults", "custom"]).problems
      : []),
  ];
  const queries = targets.flatMap((target, index) => {
    // Data sources that gleaner does not use have keys of their own.
    const schema = "rawSql" in target ? sqlTarget : "expr" in target ? promTarget : undefined;
    return schema ? document.validate(schema, target, [...path, "targets", index]).problems : [];
  });
  const steps = transformations.flatMap((step, index) =>
    transformation(document, step, [...path, "transformations", index]),
  );
  return [...wrong, ...queries, ...steps];
}
