import { ALERT_REJECTIONS } from "../model/notification.ts";
import { ROW_TABLES } from "../store/tables.ts";

/**
 * Label values of the collector's own counters that can come up: their series exist at 0 from the start, so that the
 * first time is an increase and an alert on it can fire. What only some plugin counts joins when it happens.
 */
export const KNOWN_LABELS = {
  tables: Object.keys(ROW_TABLES),
  storeErrors: ["write_failed"],
  rejected: [
    "dead_letter",
    "unstorable",
    "not_a_number",
    "undeclared_metric",
    "undeclared_label",
    "too_many_series",
    "out_of_range",
    "missing_metric",
    ...ALERT_REJECTIONS,
  ],
  dropped: ["memory_full", "spool_full", "spool_damaged", "closed"],
} as const;
