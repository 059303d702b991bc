import { suggestion } from "../../config/closest.ts";
import type { Path } from "../../config/problem.ts";
import type { World } from "../dashboards/rule.ts";
import type { Finding } from "../document.ts";
import { comparesAtTop } from "../promql.ts";
import type { GrafanaRule } from "./alerting-schema.ts";

/** Refers to what Grafana computes itself instead of asking a data source. */
const EXPRESSION = "__expr__";

/** The nodes of a rule: each refers to nodes that are there, and the condition is one of them. */
export function ruleNodes(
  { data, condition, record, noDataState }: GrafanaRule,
  path: Path,
  datasources: World["datasources"],
): Finding[] {
  const refIds = data.map(({ refId }) => refId);
  const known = (name: string) => refIds.includes(name);
  const end = condition ?? record?.from;
  return [
    ...(end === undefined
      ? [{ path, message: "expected a condition: the refId that decides" }]
      : known(end)
        ? []
        : [{ path: [...path, condition === undefined ? "record" : "condition"], message: `there is no refId ${end}` }]),
    ...data.flatMap(({ refId, datasourceUid, model }, index): Finding[] => {
      const at = [...path, "data", index];
      const twice = refIds.indexOf(refId) !== index;
      const unknown = datasourceUid !== EXPRESSION && datasources !== undefined && !datasources.has(datasourceUid);
      return [
        ...(twice ? [{ path: [...at, "refId"], message: "expected a refId of its own" }] : []),
        ...(model["refId"] === refId
          ? []
          : [{ path: [...at, "model", "refId"], message: `expected ${refId} here too` }]),
        ...(unknown
          ? [
              {
                path: [...at, "datasourceUid"],
                message: `no such data source is provisioned${suggestion(datasourceUid, [...(datasources?.keys() ?? [])])}`,
              },
            ]
          : []),
        ...(datasourceUid === EXPRESSION ? expression(model, at, known) : promQuery(model, at, noDataState === "OK")),
      ];
    }),
  ];
}

function expression(
  model: Readonly<Record<string, unknown>>,
  path: Path,
  known: (refId: string) => boolean,
): Finding[] {
  const text = model["expression"];
  if (typeof text !== "string" || text === "")
    return [{ path: [...path, "model", "expression"], message: "expected what the expression works on" }];
  const isMath = model["type"] === "math";
  const names = isMath ? [...text.matchAll(/\$\{?([A-Za-z_]\w*)\}?/g)].map(([, name = ""]) => name) : [text];
  return names
    .filter((name) => !known(name))
    .map((name) => ({ path: [...path, "model", "expression"], message: `there is no refId ${name}` }));
}

/** A comparison returns nothing while all is well, which Grafana takes for missing data; the threshold node compares. */
function promQuery(model: Readonly<Record<string, unknown>>, path: Path, emptyIsWell: boolean): Finding[] {
  const expr = model["expr"];
  if (typeof expr !== "string") return [];
  return [
    ...(expr.trim() === "" ? [{ path: [...path, "model", "expr"], message: "expected a query" }] : []),
    ...(comparesAtTop(expr) && !emptyIsWell
      ? [
          {
            path: [...path, "model", "expr"],
            message: "expected no comparison here but in a threshold: no result is no data",
          },
        ]
      : []),
    ...(model["instant"] === true || model["range"] === true
      ? []
      : [{ path: [...path, "model"], message: "expected instant: true, or range: true before a reduce node" }]),
  ];
}
