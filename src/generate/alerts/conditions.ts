import type { AlertEntries, AlertEntry, Condition } from "../../config/alerts.ts";
import { suggestion } from "../../config/closest.ts";
import type { Path } from "../../config/problem.ts";
import type { Alert, AlertGroup } from "../../model/alert.ts";
import { canonicalPluginId, type Plugin } from "../../model/plugin.ts";
import type { MetricSpec } from "../../model/sample.ts";
import { operatorOf } from "./prometheus.ts";
import { placeholderFaults } from "./text.ts";
import { ownerLabel, selectorOf } from "./thresholds.ts";

/** What becomes of users' alerts: a group of rules, those that are switched off, and what is wrong. */
export interface Custom {
  readonly group: AlertGroup;
  readonly disabled: readonly string[];
  readonly problems: readonly string[];
}

/** Makes rules of users' conditions. `taken` are the ids of alerts that are there already. */
export function customAlerts(
  given: readonly AlertEntries[],
  plugins: readonly Plugin[],
  taken: readonly string[],
): Custom {
  const problems = given.flatMap((each) => each.problems);
  const ids = new Set(taken);
  const alerts: Alert[] = [];
  const disabled: string[] = [];
  for (const { alert, label } of given.flatMap((each) => each.entries)) {
    const report = (path: Path, message: string) => void problems.push(`${label(path)}: ${message}`);
    if (ids.has(alert.id)) report(["id"], "expected an id that no other alert has");
    ids.add(alert.id);
    const made = alertOf(alert, plugins, report);
    if (!alert.enabled) disabled.push(alert.id);
    else if (made) alerts.push(made);
  }
  return { group: { name: "custom", interval: "1m", alerts }, disabled, problems };
}

type Report = (path: Path, message: string) => void;

/** A single comparison, as PromQL. */
interface Leaf {
  readonly plugin: string;
  readonly owner: "kit" | "target";
  readonly labels: readonly string[];
  /** The selected series, or their rate. */
  readonly series: string;
  readonly op: NonNullable<Condition["op"]>;
  readonly value: number;
}
interface Group {
  readonly kind: "and" | "or";
  readonly parts: readonly Node[];
}
type Node = Leaf | Group;

function alertOf(entry: AlertEntry, plugins: readonly Plugin[], report: Report): Alert | undefined {
  const node = nodeOf(entry.condition, entry, plugins, ["condition"], report);
  if (node === undefined) return undefined;
  const compared = "kind" in node ? together(node) : alone(node);
  const [owner] = compared.labels;
  const value = "kind" in node ? "" : " is at {value}";
  const summary = entry.summary ?? (owner === undefined ? `${entry.name}.` : `${entry.name}: {${owner}}${value}.`);
  const alert: Alert = {
    ...{ id: entry.id, title: entry.name, for: entry.for, keepFiringFor: entry.cooldown, severity: entry.severity },
    ...compared,
    summary,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.runbook === undefined ? {} : { runbook: entry.runbook }),
  };
  const faults = placeholderFaults(alert);
  for (const fault of faults) report([entry.summary === undefined ? "name" : "summary"], fault);
  return faults.length > 0 ? undefined : alert;
}

/** The value itself, so that messages can tell it. */
function alone({ labels, series, op, value }: Leaf): Pick<Alert, "query" | "labels" | "op" | "threshold"> {
  const worst = op === "lt" || op === "lte" ? "min" : "max";
  return { query: `${worst} by (${labels.join(", ")}) (${series})`, labels, op, threshold: value };
}

/**
 * 1 where the conditions hold together, else 0: there while all is well, too. Metrics of one plugin come together by target
 * or kit; those of several have no label in common, so that each may hold anywhere.
 */
function together(group: Group): Pick<Alert, "query" | "labels" | "op" | "threshold"> {
  const leaves = leavesOf(group);
  const [first] = leaves;
  const labels = first && leaves.every(({ plugin }) => plugin === first.plugin) ? [first.owner] : [];
  return { query: truth(group, labels.join()), labels, op: "gt", threshold: 0 };
}

function truth(node: Node, owner: string): string {
  const by = `by (${owner})`;
  if (!("kind" in node)) return `max ${by} (${node.series} ${operatorOf(node.op)} bool ${node.value})`;
  const parts = node.parts.map((part) => truth(part, owner));
  // A product has a result only where every part has one: what is not known does not hold.
  if (node.kind === "and") return `min ${by} (${parts.join(` * on (${owner}) `)})`;
  // A label of its own keeps the parts apart, or the second would give way to a first that is 0.
  const apart = parts.map((part, index) => `label_replace(${part}, "part", "${index + 1}", "", "")`);
  return `max ${by} (${apart.join(" or ")})`;
}

function leavesOf(node: Node): Leaf[] {
  return "kind" in node ? node.parts.flatMap(leavesOf) : [node];
}

function nodeOf(
  given: Condition,
  entry: AlertEntry,
  plugins: readonly Plugin[],
  path: Path,
  report: Report,
): Node | undefined {
  for (const kind of ["and", "or"] as const) {
    const list = given[kind];
    if (list === undefined) continue;
    const parts = list.map((part, index) => nodeOf(part, entry, plugins, [...path, kind, index], report));
    return parts.includes(undefined) ? undefined : { kind, parts: parts as Node[] };
  }
  return leafOf(given, entry, plugins, path, report);
}

function leafOf(
  { op, value, labels = {}, ...own }: Condition,
  entry: AlertEntry,
  plugins: readonly Plugin[],
  path: Path,
  report: Report,
): Leaf | undefined {
  if (op === undefined || value === undefined) return undefined;
  const name = (own.metric ?? entry.metric)?.replace(/^gleaner_/, "");
  if (name === undefined) return void report(path, "missing, expected a metric, here or beside the condition");
  const id = own.plugin ?? entry.plugin;
  const among = id === undefined ? plugins : plugins.filter((plugin) => plugin.id === canonicalPluginId(id));
  if (among.length === 0)
    return void report(
      path,
      `there is no plugin ${id}${suggestion(
        id ?? "",
        plugins.map((plugin) => plugin.id),
      )}`,
    );
  const plugin = among.find((each) => Object.hasOwn(each.metrics, name));
  if (plugin === undefined)
    return void report(
      path,
      `there is no metric ${name}${suggestion(
        name,
        among.flatMap((each) => Object.keys(each.metrics)),
      )}`,
    );
  const spec = plugin.metrics[name] as MetricSpec;
  const owner = ownerLabel(plugin);
  const known = [owner, ...(spec.labels ?? [])];
  const unknown = Object.keys(labels).filter((label) => !known.includes(label));
  for (const label of unknown) report([...path, "labels"], `${name} has no label ${label}${suggestion(label, known)}`);
  if (unknown.length > 0) return undefined;
  const selected = `gleaner_${name}${selectorOf(labels)}`;
  return {
    ...{ plugin: plugin.id, owner, op, value },
    labels: known.filter((label) => label === owner || !Object.hasOwn(labels, label)),
    series: spec.type === "counter" ? `rate(${selected}[5m])` : selected,
  };
}
