import { inOrder } from "../config/problem.ts";
import { getIn } from "../config/validate.ts";
import { anchorsOf } from "./annotations.ts";
import { DASHBOARD_RULES } from "./dashboards/dashboard-rules.ts";
import { PANEL_RULES } from "./dashboards/panel-rules.ts";
import { QUERY_RULES } from "./dashboards/query-rules.ts";
import type { DashboardRule, World } from "./dashboards/rule.ts";
import { type CheckedDashboard, readDashboard } from "./dashboards/structure.ts";
import { type ArtefactFile, type Document, type Finding, readDocument, repeated } from "./document.ts";
import { type AlertingFile, checkAlerting, readAlerting } from "./grafana/alerting.ts";
import { checkDatasources } from "./grafana/datasources.ts";
import { checkProviders } from "./grafana/providers.ts";
import { checkPrometheusRules } from "./prometheus/rules.ts";

/** What a file is, by its place in the folder; other files are not looked at. */
const KINDS = {
  dashboard: /^dashboards\/.+\.json$/,
  datasources: /^provisioning\/grafana\/datasources\/.+\.ya?ml$/,
  providers: /^provisioning\/grafana\/dashboards\/.+\.ya?ml$/,
  alerting: /^provisioning\/grafana\/alerting\/.+\.(ya?ml|json)$/,
  rules: /^provisioning\/prometheus\/.+\.rules\.ya?ml$/,
  runbook: /^docs\/runbooks\.md$/,
} as const;
export type Kind = keyof typeof KINDS;

/** The kind of a file, or undefined when it is none of ours. */
export function kindOf(path: string): Kind | undefined {
  return (Object.keys(KINDS) as Kind[]).find((kind) => KINDS[kind].test(path));
}

/** Every rule for dashboards. */
export const RULES: readonly DashboardRule[] = [...DASHBOARD_RULES, ...PANEL_RULES, ...QUERY_RULES];

/**
 * Checks dashboards, Grafana's provisioning and Prometheus rules together.
 * @returns a line for each problem, `file:line:column path: what was expected [rule]`, by file and line; empty when all is right
 */
export function checkArtefacts(files: readonly ArtefactFile[]): string[] {
  const of = (kind: Kind) => files.filter(({ path }) => kindOf(path) === kind);
  const problems: string[] = [];
  // Documents that can be parsed; what is wrong with the others is said once.
  const parsed = (kind: Kind): Document[] => {
    const documents = of(kind).map(readDocument);
    problems.push(...documents.flatMap((document) => document.problems));
    return documents.filter((document) => document.problems.length === 0);
  };
  const [runbookFile] = of("runbook");
  const runbook = runbookFile && anchorsOf(runbookFile.text);
  const sources = {
    types: new Map<string, string>(),
    uids: new Map<string, string>(),
    names: new Map<string, string>(),
  };
  const before = problems.length;
  for (const document of parsed("datasources")) problems.push(...checkDatasources(document, sources));
  const datasources = problems.length > before || sources.types.size === 0 ? undefined : sources.types;
  const providers = new Map<string, string>();
  for (const document of parsed("providers")) problems.push(...checkProviders(document, providers));

  const dashboards: CheckedDashboard[] = [];
  const byUid = new Map<string, CheckedDashboard | undefined>();
  for (const document of parsed("dashboard")) {
    const { checked, problems: wrong } = readDashboard(document);
    problems.push(...wrong);
    const uid = getIn(document.value, ["uid"]);
    if (typeof uid === "string") byUid.set(uid, checked);
    if (checked) dashboards.push(checked);
  }
  problems.push(...checkDashboards(dashboards, { dashboards: byUid, datasources }));

  const alerting: AlertingFile[] = [];
  for (const document of parsed("alerting")) {
    const { file, problems: wrong } = readAlerting(document);
    problems.push(...wrong);
    if (file) alerting.push(file);
  }
  problems.push(...checkAlerting(alerting, { dashboards: byUid, datasources, runbook }));
  for (const document of parsed("rules")) problems.push(...checkPrometheusRules(document, runbook));
  return inOrder([...new Set(problems)]);
}

/** One title or uid twice costs Grafana's provider its write access to all of them. */
function checkDashboards(dashboards: readonly CheckedDashboard[], world: World): string[] {
  const [uids, titles] = [new Map<string, string>(), new Map<string, string>()];
  return dashboards.flatMap((subject) => {
    const { document, dashboard } = subject;
    const where = document.file;
    const unique: Finding[] = [
      ...repeated(uids, dashboard.uid, { where, path: ["uid"], what: "a uid" }),
      ...repeated(titles, dashboard.title, { where, path: ["title"], what: "a title" }),
    ];
    return [
      ...unique.map((finding) => document.problem("dashboard-unique", finding)),
      ...RULES.flatMap(({ id, check }) => check(subject, world).map((finding) => document.problem(id, finding))),
    ];
  });
}
