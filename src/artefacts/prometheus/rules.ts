import { z } from "zod";
import { type Runbook, untold } from "../annotations.ts";
import { type Document, type Finding, repeated } from "../document.ts";
import { promDuration } from "../durations.ts";

const texts = z.record(
  z.string().regex(/^[a-zA-Z_]\w*$/, { error: "expected a name of letters, digits and _" }),
  z.string(),
);
const expr = z.union([z.string().min(1), z.number()]);

const recording = z.strictObject({
  record: z.string().regex(/^[a-zA-Z_:][\w:]*$/, { error: "expected the name of a metric" }),
  expr,
  labels: texts.optional(),
});
const alert = z.strictObject({
  alert: z.string().min(1),
  expr,
  for: promDuration.optional(),
  keep_firing_for: promDuration.optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
});

const file = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      interval: promDuration.optional(),
      limit: z.int().min(0).optional(),
      query_offset: promDuration.optional(),
      labels: texts.optional(),
      // Each is held to the form its key says, so that messages speak of the right one.
      rules: z.array(z.looseObject({})),
    }),
  ),
});

/** Problems of a Prometheus rule file; the expressions are promtool's business. */
export function checkPrometheusRules(document: Document, runbook: Runbook): string[] {
  const { value, problems } = document.validate(file, document.value);
  if (value === undefined) return [...problems];
  const groups = new Map<string, string>();
  const alerts = new Map<string, string>();
  const say = (rule: string, findings: readonly Finding[]) =>
    findings.map((finding) => document.problem(rule, finding));
  return value.groups.flatMap(({ name, rules }, group) => [
    ...say(
      "group-name",
      repeated(groups, name, { where: document.file, path: ["groups", group, "name"], what: "a name" }),
    ),
    ...rules.flatMap((rule, index) => {
      const path = ["groups", group, "rules", index];
      if ("record" in rule) return document.validate(recording, rule, path).problems;
      const { value: one, problems: wrong } = document.validate(alert, rule, path);
      if (one === undefined) return wrong;
      const key = `${one.alert}${JSON.stringify(Object.entries(one.labels ?? {}).sort())}`;
      return [
        ...say(
          "alert-unique",
          repeated(alerts, key, {
            where: `the group ${name}`,
            path: [...path, "alert"],
            what: "a name or other labels",
          }),
        ),
        ...say("alert-told", untold(one, path, runbook)),
      ];
    }),
  ]);
}
