import { kindOf } from "../../src/artefacts/check.ts";
import type { Dashboard } from "../../src/artefacts/dashboards/schema.ts";
import { type CheckedDashboard, readDashboard } from "../../src/artefacts/dashboards/structure.ts";
import { readDocument } from "../../src/artefacts/document.ts";
import { readArtefacts } from "../../src/artefacts/files.ts";
import { ROOT } from "../packaging/files.ts";
import { runAnnotations, type Shown, type Sources, showPanel } from "./grafana/panel.ts";
import { instant } from "./grafana/prometheus.ts";
import type { View } from "./grafana/range.ts";
import { type Chosen, chooseAll, type ValueSources } from "./grafana/variables.ts";

/** The dashboards of the project. @throws {Error} with what is wrong with their structure */
export function loadDashboards(): CheckedDashboard[] {
  return readArtefacts(ROOT)
    .filter(({ path }) => kindOf(path) === "dashboard")
    .map((file) => {
      const { checked, problems } = readDashboard(readDocument(file));
      if (!checked) throw new Error(problems.join("\n"));
      return checked;
    });
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1e3,
  m: 6e4,
  h: 36e5,
  d: 864e5,
  w: 6048e5,
  M: 2_592e6,
  y: 31_536e6,
};

/** The time range that a dashboard opens with, as of a time (epoch ms). */
export function viewOf({ time }: Pick<Dashboard, "time">, now: number, scrape: number): View {
  const [, n, unit = ""] = /^now-(\d+)([smhdwMy])$/.exec(time.from) ?? [];
  if (n === undefined || time.to !== "now")
    throw new Error(`the time range ${time.from} to ${time.to} is not known here`);
  return { from: now - Number(n) * (UNITS[unit] ?? Number.NaN), to: now, scrape };
}

/** Values for variables, out of the databases that panels read. */
export function valuesFrom({ prometheus, database }: Sources, now: number): ValueSources {
  return {
    async labelValues(selector, label) {
      const series = await instant(prometheus, selector, now);
      return [...new Set(series.map(({ metric }) => metric[label] ?? ""))].filter((value) => value !== "").sort();
    },
    async sqlValues(sql) {
      const { fields, rows } = await database.query({ text: sql, rowMode: "array" });
      const column = Math.max(
        0,
        fields.findIndex(({ name }) => name === "__value"),
      );
      return [...new Set((rows as unknown[][]).map((row) => String(row[column])))];
    },
  };
}

/** One panel of a dashboard, and what it showed. */
export interface PanelResult extends Shown {
  readonly dashboard: string;
  readonly id: number;
  readonly title: string;
}

export interface DashboardResult {
  readonly chosen: Chosen;
  readonly panels: readonly PanelResult[];
  readonly annotations: readonly number[];
  readonly problems: readonly string[];
}

/** Runs every query of a dashboard. */
export async function showDashboard(
  subject: CheckedDashboard,
  sources: Sources,
  { view, preferred }: { readonly view: View; readonly preferred: Chosen },
): Promise<DashboardResult> {
  const { dashboard } = subject;
  const { chosen, empty } = await chooseAll(dashboard, valuesFrom(sources, view.to), preferred);
  const panels: PanelResult[] = [];
  for (const placed of subject.panels) {
    const shown = await showPanel(placed, sources, chosen, view);
    panels.push({ ...shown, dashboard: dashboard.uid, id: placed.panel.id, title: placed.panel.title });
  }
  const { rows, problems } = await runAnnotations(subject, sources, chosen, view);
  const valueless = empty.map((name) => `the variable ${name} finds no values`);
  return { chosen, panels, annotations: rows, problems: [...valueless, ...problems] };
}
