import { suggestion } from "../../config/closest.ts";
import type { Path } from "../../config/problem.ts";
import { type Runbook, untold } from "../annotations.ts";
import type { World } from "../dashboards/rule.ts";
import { type Document, type Finding, repeated } from "../document.ts";
import { promMs } from "../durations.ts";
import { ruleNodes } from "./alerting-nodes.ts";
import { type Alerting, alertingSchema, type GrafanaRule, type Route } from "./alerting-schema.ts";
import { annotationTexts, expandedTexts } from "./interpolation.ts";

/** A file of alerting whose structure is right. */
export interface AlertingFile {
  readonly document: Document;
  readonly alerting: Alerting;
}

/** What the rules may refer to. */
export interface AlertingWorld {
  readonly dashboards: World["dashboards"];
  readonly datasources: World["datasources"];
  readonly runbook: Runbook;
}

/** Grafana evaluates at multiples of this. */
const EVALUATION_MS = 10_000;

/** Reads a file in provisioning/grafana/alerting. */
export function readAlerting(document: Document): {
  readonly file?: AlertingFile;
  readonly problems: readonly string[];
} {
  const { value, problems } = document.validate(alertingSchema, document.value);
  return value === undefined ? { problems } : { file: { document, alerting: value }, problems: [] };
}

/** Problems of all files of alerting together: names are unique, and what is referred to exists in one of them. */
export function checkAlerting(files: readonly AlertingFile[], world: AlertingWorld): string[] {
  const seen = { uids: new Map<string, string>(), titles: new Map<string, string>(), names: new Map<string, string>() };
  const receivers = files.flatMap(({ alerting }) => alerting.contactPoints ?? []).map(({ name }) => name);
  const mutes = files.flatMap(({ alerting }) => alerting.muteTimes ?? []).map(({ name }) => name);
  return files.flatMap(({ document, alerting }) => {
    const say = (rule: string, findings: readonly Finding[]) =>
      findings.map((finding) => document.problem(rule, finding));
    return [
      ...say("alert-unique", uniqueness(alerting, document.file, seen)),
      ...rulesOf(alerting).flatMap(({ rule, path }) => [
        ...say("alert-query", ruleNodes(rule, path, world.datasources)),
        ...say("alert-told", rule.record ? [] : untold(rule, path, world.runbook)),
        ...say("alert-panel", panel(rule, path, world.dashboards)),
      ]),
      ...say("alert-interval", intervals(alerting)),
      ...say("alert-route", routes(alerting, receivers, mutes)),
      ...say("interpolation", traps(alerting)),
    ];
  });
}

export const rulesOf = ({ groups = [] }: Alerting): { readonly rule: GrafanaRule; readonly path: Path }[] =>
  groups.flatMap(({ rules }, group) => rules.map((rule, index) => ({ rule, path: ["groups", group, "rules", index] })));

type Seen = Readonly<Record<"uids" | "titles" | "names", Map<string, string>>>;

function uniqueness(
  { groups = [], contactPoints = [], muteTimes = [], templates = [] }: Alerting,
  file: string,
  seen: Seen,
) {
  const named = (kind: string, list: readonly { name: string }[]) =>
    list.flatMap(({ name }, index) =>
      repeated(seen.names, `${kind}/${name}`, { where: file, path: [kind, index, "name"], what: "a name" }),
    );
  const inGroups = groups.flatMap(({ name, folder, rules }, group) => [
    ...repeated(seen.names, `groups/${folder}/${name}`, {
      where: file,
      path: ["groups", group, "name"],
      what: "a name",
    }),
    ...rules.flatMap(({ uid, title }, index) => {
      const path = ["groups", group, "rules", index];
      const where = `${file}: ${title}`;
      return [
        ...repeated(seen.uids, uid, { where, path: [...path, "uid"], what: "a uid" }),
        ...repeated(seen.titles, `${folder}/${title}`, { where, path: [...path, "title"], what: "a title" }),
      ];
    }),
  ]);
  const receivers = contactPoints.flatMap(({ name, receivers }, point) =>
    receivers.flatMap(({ uid }, index) =>
      repeated(seen.uids, `receiver/${uid}`, {
        ...{ where: `${file}: ${name}`, path: ["contactPoints", point, "receivers", index, "uid"], what: "a uid" },
      }),
    ),
  );
  return [
    ...inGroups,
    ...named("contactPoints", contactPoints),
    ...receivers,
    ...named("muteTimes", muteTimes),
    ...named("templates", templates),
  ];
}

function panel({ dashboardUid, panelId }: GrafanaRule, path: Path, dashboards: AlertingWorld["dashboards"]): Finding[] {
  if ((dashboardUid === undefined) !== (panelId === undefined))
    return [{ path, message: "expected both dashboardUid and panelId, or neither" }];
  if (dashboardUid === undefined) return [];
  const dashboard = dashboards.get(dashboardUid);
  if (!dashboard && dashboards.has(dashboardUid)) return [];
  if (!dashboard)
    return [
      {
        path: [...path, "dashboardUid"],
        message: `there is no dashboard with this uid${suggestion(dashboardUid, [...dashboards.keys()])}`,
      },
    ];
  return dashboard.panels.some(({ panel }) => panel.id === panelId)
    ? []
    : [{ path: [...path, "panelId"], message: `the dashboard ${dashboardUid} has no such panel` }];
}

function intervals({ groups = [] }: Alerting): Finding[] {
  return groups.flatMap(({ interval }, index) => {
    const ms = promMs(interval);
    const wrong = ms === 0 || ms % EVALUATION_MS !== 0;
    return wrong
      ? [{ path: ["groups", index, "interval"], message: "expected a multiple of 10s, as Grafana evaluates" }]
      : [];
  });
}

/** Receivers and mute timings that a policy or a rule names exist. */
function routes(alerting: Alerting, receivers: readonly string[], mutes: readonly string[]): Finding[] {
  const check = (route: Route, path: Path): Finding[] => [
    ...(route.receiver === undefined || receivers.includes(route.receiver)
      ? []
      : [
          {
            path: [...path, "receiver"],
            message: `there is no such contact point${suggestion(route.receiver, receivers)}`,
          },
        ]),
    ...(["mute_time_intervals", "active_time_intervals"] as const).flatMap((key) =>
      (route[key] ?? []).flatMap((name, index) =>
        mutes.includes(name)
          ? []
          : [{ path: [...path, key, index], message: `there is no such mute timing${suggestion(name, mutes)}` }],
      ),
    ),
    ...(route.routes ?? []).flatMap((inner, index) => check(inner, [...path, "routes", index])),
  ];
  const { policies = [] } = alerting;
  const rootMutes = policies.flatMap(({ mute_time_intervals }, index) =>
    mute_time_intervals?.length
      ? [{ path: ["policies", index, "mute_time_intervals"], message: "expected none here: the root is never muted" }]
      : [],
  );
  return [
    ...rootMutes,
    ...policies.flatMap((policy, index) => check(policy, ["policies", index])),
    ...rulesOf(alerting).flatMap(({ rule, path }) =>
      rule.notification_settings ? check(rule.notification_settings, [...path, "notification_settings"]) : [],
    ),
  ];
}

/** Models, policies, mute timings and templates are not expanded; labels, titles and contact points are. */
function traps(alerting: Alerting): Finding[] {
  const groups = (alerting.groups ?? []).flatMap(({ rules: _rules, ...group }, index) =>
    expandedTexts(group, ["groups", index]),
  );
  const rules = rulesOf(alerting).flatMap(({ rule, path }) => {
    const { data, annotations, ...expanded } = rule;
    const nodes = data.map(({ model: _model, ...node }) => node);
    return [
      ...expandedTexts(expanded, path),
      ...expandedTexts(nodes, [...path, "data"]),
      ...annotationTexts(annotations, [...path, "annotations"]),
    ];
  });
  return [...groups, ...rules, ...expandedTexts(alerting.contactPoints ?? [], ["contactPoints"])];
}
