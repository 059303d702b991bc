import { z } from "zod";
import { promDuration } from "../durations.ts";

// Grafana's file format of alerting. Its own reader drops keys that it does not know without a word.

const text = z.string().min(1);
const texts = z.record(z.string(), z.string());
const orgId = z.int().optional();
const seconds = z.int().min(0);
const uid = z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, { error: "expected 1 to 40 letters, digits, - and _" });

const query = z.strictObject({
  refId: text,
  queryType: z.string().optional(),
  relativeTimeRange: z.strictObject({ from: seconds, to: seconds }).optional(),
  datasourceUid: text,
  model: z.looseObject({}),
});

const timing = {
  group_by: z.array(z.string()).optional(),
  group_wait: promDuration.optional(),
  group_interval: promDuration.optional(),
  repeat_interval: promDuration.optional(),
  mute_time_intervals: z.array(z.string()).optional(),
  active_time_intervals: z.array(z.string()).optional(),
};

export const ruleSchema = z.strictObject({
  uid,
  title: z.string().min(1).max(190),
  condition: text.optional(),
  data: z.array(query).min(1),
  dashboardUid: z.string().optional(),
  panelId: z.int().min(1).optional(),
  noDataState: z.enum(["NoData", "Alerting", "OK", "KeepLast"]).optional(),
  execErrState: z.enum(["Alerting", "Error", "OK", "KeepLast"]).optional(),
  for: promDuration.optional(),
  keepFiringFor: promDuration.optional(),
  missing_series_evals_to_resolve: z.int().min(0).optional(),
  annotations: texts.optional(),
  labels: texts.optional(),
  isPaused: z.boolean().optional(),
  notification_settings: z.strictObject({ receiver: text, ...timing }).optional(),
  record: z.strictObject({ metric: text, from: text, targetDatasourceUid: text.optional() }).optional(),
});

const group = z.strictObject({ orgId, name: text, folder: text, interval: promDuration, rules: z.array(ruleSchema) });

const contactPoint = z.strictObject({
  orgId,
  name: text,
  receivers: z
    .array(
      z.strictObject({
        uid,
        type: text,
        settings: z
          .record(z.string(), z.unknown())
          .refine((settings) => Object.keys(settings).length > 0, { error: "expected at least one setting" }),
        disableResolveMessage: z.boolean().optional(),
      }),
    )
    .min(1),
});

const routeShape = {
  continue: z.boolean().optional(),
  object_matchers: z
    .array(z.tuple([text, z.enum(["=", "!=", "=~", "!~"]), z.string()], { error: "expected [label, operator, value]" }))
    .optional(),
  matchers: z.array(z.string()).optional(),
  ...timing,
};

/** A branch of the notification policies, with the branches below it. */
export interface Route extends z.output<z.ZodObject<typeof timing>> {
  readonly receiver?: string | undefined;
  readonly routes?: readonly Route[] | undefined;
}

const route: z.ZodType<Route> = z.strictObject({
  ...routeShape,
  receiver: z.string().optional(),
  routes: z.lazy(() => z.array(route)).optional(),
});
const policy = z.strictObject({ ...routeShape, orgId, receiver: text, routes: z.array(route).optional() });

/** A range or a single value of days, months or years: `monday:friday`, `1:-1`. */
const range = z.array(z.string()).optional();
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, { error: "expected a time such as 08:30" });
const muteTime = z.strictObject({
  orgId,
  name: text,
  time_intervals: z
    .array(
      z.strictObject({
        times: z.array(z.strictObject({ start_time: time, end_time: time })).optional(),
        weekdays: range,
        days_of_month: range,
        months: range,
        years: range,
        location: z.string().optional(),
      }),
    )
    .min(1),
});

const template = z.strictObject({ orgId, name: text, template: text });
const deletedName = z.strictObject({ orgId, name: text });
const deletedUid = z.strictObject({ orgId, uid: text });

/** A file in provisioning/grafana/alerting. */
export const alertingSchema = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(group).optional(),
  deleteRules: z.array(deletedUid).optional(),
  contactPoints: z.array(contactPoint).optional(),
  deleteContactPoints: z.array(deletedUid).optional(),
  policies: z.array(policy).optional(),
  resetPolicies: z.array(z.union([z.int(), z.strictObject({ orgId: z.int() })])).optional(),
  muteTimes: z.array(muteTime).optional(),
  deleteMuteTimes: z.array(deletedName).optional(),
  templates: z.array(template).optional(),
  deleteTemplates: z.array(deletedName).optional(),
});
export type Alerting = z.output<typeof alertingSchema>;
export type GrafanaRule = z.output<typeof ruleSchema>;
