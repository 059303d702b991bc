import type { Alert, AlertGroup } from "../model/alert.ts";
import type { PluginState } from "../model/health.ts";

const inState = (state: PluginState) => `max by (target, plugin) (gleaner_target_state{state="${state}"})`;
const target = { labels: ["target", "plugin"], op: "gt", threshold: 0, keepFiringFor: "5m" } as const;

const LOOK = [
  "`gleaner run <target>` collects once and says what fails.",
  '`gleaner_job_failures_total{target="<target>"}` by `exported_job` and `kind`: `timeout`, `unreachable`, `http_status`, `bad_data`, `bug`.',
  "`select started_at, job, error_kind, error_message from plugin_executions where target_id = '<target>' and status = 'failed' order by started_at desc limit 20`.",
];

const DEGRADED: Alert = {
  ...target,
  id: "target_degraded",
  title: "Plugin degraded",
  query: inState("degraded"),
  for: "10m",
  severity: "warning",
  summary: "{target} ({plugin}) fails now and then.",
  description:
    "{target} has failed at least twice in a row and has not recovered for 10 minutes; it is collected less often meanwhile.",
  runbook: {
    meaning: "Two to four runs in a row failed. The interval is stretched until one succeeds.",
    impact: "There are gaps in the target's series, and its values come less often.",
    check: LOOK,
    fix: [
      "Mend what the message names: address, credentials, rights of the user that runs gleaner.",
      "A source that is only slow: raise `timeout` of the target in gleaner.yaml.",
    ],
  },
};

const FAILING: Alert = {
  ...target,
  id: "target_failing",
  title: "Plugin failing",
  query: inState("failing"),
  for: "5m",
  severity: "critical",
  summary: "{target} ({plugin}) keeps failing.",
  description: "At least five runs of {target} in a row failed; it is paused between single tries.",
  runbook: {
    meaning:
      "Five or more runs in a row failed. Only one try per back-off step (at most 5 minutes) is made until one succeeds.",
    impact: "The target's series are withdrawn; nothing of it is recorded, and its own thresholds cannot fire.",
    check: LOOK,
    fix: [
      "Mend what the message names; the next try brings the target back by itself.",
      "`kind` is `bug`: report it with the message from the log.",
      "Not wanted here: set `enabled: false` for the target in gleaner.yaml.",
    ],
  },
};

const PAUSED: Alert = {
  ...target,
  id: "target_paused",
  title: "Plugin paused",
  query: 'sum by (target, plugin) (increase(gleaner_job_skipped_total{reason="paused"}[15m]))',
  for: "15m",
  severity: "warning",
  summary: "Runs of {target} ({plugin}) are skipped.",
  description: "About {value} due runs of {target} were skipped within 15 minutes because it is paused.",
  runbook: {
    meaning:
      "Due runs are left out: because the target keeps failing, or because there is nowhere left to keep rows (`store.spool.when_full: block`).",
    impact: "There are no values for the time of the pause.",
    check: [
      "`gleaner jobs`: last outcome and reason of each job.",
      '`gleaner_target_state{target="<target>"}`: `failing` explains the pause. If all targets are paused, look at `gleaner_spool_bytes` and the disk.',
      ...LOOK.slice(0, 1),
    ],
    fix: [
      "As for [target_failing](#target_failing) when the target fails.",
      "As for [spool_old](#spool_old) and [store_down](#store_down) when everything is paused.",
    ],
  },
};

const KEY_EXPIRES: Alert = {
  ...target,
  id: "agent_key_expires",
  title: "Key of an agent expires",
  query: "max by (target, plugin) (gleaner_target_key_expiry_timestamp_seconds) - time()",
  op: "lt",
  threshold: 604_800,
  for: "1h",
  severity: "warning",
  summary: "The key of the agent {target} ({plugin}) expires in {value:duration}.",
  description: "From then on what {target} reports is refused.",
  runbook: {
    meaning: "The key of this agent is good for less than 7 days, or not any more where the time is negative.",
    impact: "When it has expired nothing is taken of what the agent reports; it keeps that for as long as it can.",
    check: ["`gleaner agents list`: until when each key is good."],
    fix: [
      "`gleaner agents renew <id>`, and give the agent the new key: the old one is good for nothing from then on.",
      "Not wanted any more: `gleaner agents revoke <id>`.",
    ],
  },
};

/** Alerts on the state of targets that are no kits. Thresholds on what they measure are in their plugins. */
export const TARGET_ALERTS: AlertGroup = {
  name: "plugins",
  interval: "30s",
  alerts: [DEGRADED, FAILING, PAUSED, KEY_EXPIRES],
};
