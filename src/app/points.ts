import type { Family, Point } from "../expose/types.ts";
import type { JobCounts } from "../health/counts.ts";
import type { TargetView } from "../health/monitor.ts";
import type { AgentView } from "../http/app/agents.ts";
import { KIT_STATES, PLUGIN_STATES } from "../model/health.ts";
import type { MetricSpec } from "../model/sample.ts";
import type { Batch, ConfiguredTarget } from "../model/target.ts";

const PREFIX = "gleaner_";

const gauge = (name: string, help: string, unit?: string): Family => ({
  name,
  help,
  type: "gauge",
  ...(unit ? { unit } : {}),
});
const counter = (name: string, help: string): Family => ({ name, help, type: "counter" });

const TARGET = {
  up: gauge("gleaner_target_up", "Whether the last run of every job of the target succeeded."),
  state: gauge("gleaner_target_state", "State of the target: 1 for the one it is in, 0 for the others."),
  lastSuccess: gauge(
    "gleaner_target_last_success_timestamp_seconds",
    "When a run last succeeded, in seconds since 1970.",
    "seconds",
  ),
  failures: gauge("gleaner_target_consecutive_failures", "Failed runs in a row of the target's worst job."),
  info: gauge(
    "gleaner_target_info",
    "What is known of the target besides its series: name, category, host of the collector, environment, tags; always 1.",
  ),
};
const KEY_EXPIRY = gauge(
  "gleaner_target_key_expiry_timestamp_seconds",
  "Until when the key of the agent is good, in seconds since 1970.",
  "seconds",
);
const KIT = {
  up: gauge("gleaner_kit_up", "Whether the kit is online."),
  state: gauge("gleaner_kit_state", "State of the kit: 1 for the one it is in, 0 for the others."),
  info: gauge("gleaner_kit_info", "Name and location of the kit as configured; always 1."),
  lastSeen: gauge(
    "gleaner_kit_last_seen_timestamp_seconds",
    "When the kit last answered well, in seconds since 1970.",
    "seconds",
  ),
  identityChanges: counter(
    "gleaner_kit_identity_changes_total",
    "How often the kit told another id of itself than before, or that of another kit.",
  ),
  backoff: gauge("gleaner_kit_backoff_seconds", "Pause now in force after failures, 0 when none.", "seconds"),
};
const JOB = {
  runs: counter("gleaner_job_runs_total", "Finished runs, whatever came of them."),
  failures: counter("gleaner_job_failures_total", "Failed runs by kind of failure."),
  skipped: counter("gleaner_job_skipped_total", "Due runs that did not happen, by reason."),
};

export const isKit = (target: ConfiguredTarget): boolean => target.plugin.health === "kit";

/** The label that says whose series it is: first on everything. */
function ownLabel(target: ConfiguredTarget): Record<string, string> {
  return isKit(target) ? { kit: target.id } : { target: target.id };
}

function familyOf(metric: string, spec: MetricSpec): Family {
  return {
    name: spec.ownName ? metric : PREFIX + metric,
    help: spec.help,
    type: spec.type ?? "gauge",
    ...(spec.unit && spec.unit !== "info" ? { unit: spec.unit } : {}),
  };
}

/** The series a batch's samples stand for. */
export function dataPoints({ target, samples, metrics }: Batch): Point[] {
  const own = ownLabel(target);
  const families = new Map<string, Family>();
  return samples.map(({ metric, value, labels }) => {
    let family = families.get(metric);
    if (!family) {
      family = familyOf(metric, metrics[metric] as MetricSpec);
      families.set(metric, family);
    }
    return { family, value, labels: labels ? { ...own, ...labels } : own };
  });
}

const oneHot = (family: Family, labels: Record<string, string>, states: readonly string[], current: string): Point[] =>
  states.map((state) => ({ family, labels: { ...labels, state }, value: state === current ? 1 : 0 }));

function kitPoints({ target, state, backoff, lastSuccess, identityChanges }: TargetView): Point[] {
  const kit = { kit: target.id };
  const info = { ...kit, name: target.name, location: target.tags["location"] ?? "" };
  return [
    { family: KIT.up, labels: kit, value: state === "online" ? 1 : 0 },
    ...oneHot(KIT.state, kit, KIT_STATES, state),
    { family: KIT.info, labels: info, value: 1 },
    { family: KIT.identityChanges, labels: kit, value: identityChanges },
    { family: KIT.backoff, labels: kit, value: backoff / 1_000 },
    ...(lastSuccess ? [{ family: KIT.lastSeen, labels: kit, value: lastSuccess.getTime() / 1_000 }] : []),
  ];
}

/** For joining with what a target brings: tags that somebody may rename at any time are no part of what a series is. */
function infoLabels({ id, name, plugin, tags }: ConfiguredTarget, host: string): Record<string, string> {
  const { env, ...others } = tags;
  return {
    ...{ target: id, plugin: plugin.id, name, category: plugin.category, host },
    ...(env === undefined ? {} : { env }),
    ...Object.fromEntries(Object.entries(others).map(([tag, value]) => [`tag_${tag}`, value])),
  };
}

function targetPoints({ target, state, consecutiveFailures, lastSuccess }: TargetView, host: string): Point[] {
  const labels = { target: target.id, plugin: target.plugin.id };
  const up = lastSuccess !== null && consecutiveFailures === 0;
  return [
    { family: TARGET.up, labels, value: up ? 1 : 0 },
    ...oneHot(TARGET.state, labels, PLUGIN_STATES, state),
    { family: TARGET.failures, labels, value: consecutiveFailures },
    { family: TARGET.info, labels: infoLabels(target, host), value: 1 },
    ...(lastSuccess ? [{ family: TARGET.lastSuccess, labels, value: lastSuccess.getTime() / 1_000 }] : []),
  ];
}

function jobPoints(target: ConfiguredTarget, job: string, counts: JobCounts): Point[] {
  const labels = { target: target.id, plugin: target.plugin.id, job };
  return [
    { family: JOB.runs, labels, value: counts.runs },
    ...Object.entries(counts.failures).map(([kind, value]) => ({
      family: JOB.failures,
      labels: { ...labels, kind },
      value,
    })),
    ...Object.entries(counts.skipped).map(([reason, value]) => ({
      family: JOB.skipped,
      labels: { ...labels, reason },
      value,
    })),
  ];
}

/** Until when the keys of agents are good; not of those that were revoked. */
export function keyPoints(agents: readonly AgentView[]): Point[] {
  return agents
    .filter(({ state }) => state !== "revoked")
    .map(({ id, plugin, expiresAt }) => ({
      ...{ family: KEY_EXPIRY, labels: { target: id, plugin }, value: expiresAt.getTime() / 1_000 },
    }));
}

/** The series about a target itself: they stay as long as it is configured, whatever its state. */
export function statePoints(view: TargetView, host: string): Point[] {
  const own = isKit(view.target) ? kitPoints(view) : targetPoints(view, host);
  return [...own, ...Object.entries(view.runs).flatMap(([job, counts]) => jobPoints(view.target, job, counts))];
}
