import { z } from "zod";
import { isCron } from "./cron.ts";
import { atMostOne, delay, interval, tags, targetId, timeout, timezone, whole } from "./fields.ts";

const cron = () =>
  z.string().refine(isCron, { error: "expected a cron expression of five fields, or six with seconds first" });

const job = atMostOne(
  z.strictObject({
    interval: interval().optional().describe("How often this job runs.").meta({ unset: "the target's", example: "5m" }),
    cron: cron().optional().describe("When this job runs, instead of an interval.").meta({ alternative: "0 3 * * *" }),
    timezone: timezone()
      .optional()
      .describe("Time zone of `cron`.")
      .meta({ unset: "the target's", alternative: "UTC" }),
    timeout: timeout()
      .optional()
      .describe("Longest that one attempt of this job may take.")
      .meta({ unset: "the target's", example: "30s" }),
  }),
  ["interval", "cron"],
);

const WHEN = ["interval", "collection_interval", "cron"] as const;

const fields = {
  plugin: z
    .string()
    .min(1)
    .optional()
    .describe("Which plugin collects (docs/plugins.md).")
    .meta({ unset: "the target's id", example: "system_info" }),
  enabled: z.boolean().default(true).describe("false switches the target off, also one that runs by default."),
  name: z.string().min(1).max(200).optional().describe("A name for people.").meta({ unset: "the target's id" }),
  interval: interval()
    .optional()
    .describe("How often its jobs run.")
    .meta({ unset: "scheduler.interval", example: "60s" }),
  collection_interval: interval()
    .optional()
    .describe("Another spelling of `interval`; only one of the two.")
    .meta({ alternative: "60s" }),
  cron: cron()
    .optional()
    .describe(
      "When its jobs run, instead of an interval: minute hour day month weekday, or six fields with seconds first.",
    )
    .meta({ alternative: "*/5 * * * *" }),
  timezone: timezone()
    .optional()
    .describe("Time zone of `cron`.")
    .meta({ unset: "this machine's", alternative: "UTC" }),
  timeout: timeout()
    .optional()
    .describe("Longest that one attempt may take.")
    .meta({ unset: "the plugin's, else scheduler.timeout", example: "30s" }),
  retry_count: whole(0, 20)
    .optional()
    .describe("Further attempts after a failed one.")
    .meta({ unset: "scheduler.retry_count", example: 3 }),
  retry_delay: delay()
    .optional()
    .describe("Wait before the first further attempt.")
    .meta({ unset: "scheduler.retry_delay", example: "10s" }),
  retry_backoff: z
    .number()
    .min(1)
    .max(10)
    .optional()
    .describe("Factor by which each further wait grows.")
    .meta({ unset: "scheduler.retry_backoff", example: 2 }),
  tags: tags()
    .default({})
    .describe("Labels tag_<name> of the series gleaner_target_info, to join with what it collects.")
    .meta({ example: { rack: "a1" } }),
  jobs: z.record(z.string(), job).default({}).describe("Settings of single jobs, by the job's name."),
  config: z.record(z.string(), z.unknown()).default({}).describe("The plugin's own settings (docs/plugins.md)."),
};

/** One entry of `targets` in gleaner.yaml. */
export const targetSchema = atMostOne(z.strictObject(fields), [...WHEN]);

const { plugin: _plugin, enabled: _enabled, ...changeable } = fields;

/** What a row of the table `plugins` can say of one target: whatever an entry can, but whose it is. */
const change = z.strictObject({ ...changeable, enabled: z.boolean().optional() });

/** The column `config` of the table `plugins`: changes for all targets of the plugin, and for single ones by their id. */
export const rowSchema = atMostOne(
  z.strictObject({ ...changeable, targets: z.record(targetId(), atMostOne(change, [...WHEN])).default({}) }),
  [...WHEN],
);

/** A target's settings, as changes to what gleaner.yaml has. */
export type TargetChange = Omit<z.output<typeof rowSchema>, "targets"> & { readonly enabled?: boolean | undefined };
