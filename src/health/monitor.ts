import type { Severity, TargetState, Transition } from "../model/health.ts";
import type { HealthPolicy } from "../model/plugin.ts";
import type { Run, SkipReason } from "../model/run.ts";
import { type ConfiguredTarget, intervalOf } from "../model/target.ts";
import { type Counts, countRejected, countRun, countSkipped } from "./counts.ts";
import { kitState, stepKit } from "./kit.ts";
import { stepPlugin } from "./plugin.ts";
import { stepService } from "./service.ts";
import { consecutiveFailures, type HealthRules, jobHealth, staleAfter, type TargetHealth, UNKNOWN } from "./target.ts";

/** What is known of a target now, for gauges, pages and the database. */
export interface TargetView {
  readonly target: ConfiguredTarget;
  readonly state: TargetState;
  readonly consecutiveFailures: number;
  readonly errors: number;
  readonly lastRun: Date | null;
  readonly lastSuccess: Date | null;
  readonly lastError: string | null;
  /** Pause now in force (ms), 0 when none. */
  readonly backoff: number;
  /** The id the target last told of itself. */
  readonly identity: string | null;
  /** How often it told another one than before, or that of another target, since it is watched. */
  readonly identityChanges: number;
  /** Jobs whose last good data has grown too old to be shown. */
  readonly staleJobs: readonly string[];
  readonly runs: Readonly<Counts>;
  /** What of its harvests could not be used, by reason, since it is watched. */
  readonly rejected: Readonly<Record<string, number>>;
}

interface Entry {
  readonly target: ConfiguredTarget;
  readonly rules: HealthRules;
  health: TargetHealth;
  errors: number;
  lastRun: Date | null;
  lastSuccess: Date | null;
  lastError: string | null;
  identity: string | null;
  identityChanges: number;
  readonly counts: Counts;
  readonly rejected: Record<string, number>;
}

export interface MonitorDeps {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly wall: () => Date;
  readonly random: () => number;
  readonly onTransition: (transition: Transition, view: TargetView) => void;
}

export interface Monitor {
  /** Starts watching a target; `remembered` is what the database knew of it. */
  add(target: ConfiguredTarget, remembered?: { identity: string | null; lastSuccess: Date | null }): void;
  remove(targetId: string): void;
  /** Takes in a finished run and returns the target's new view. */
  observe(run: Run): TargetView | undefined;
  /** Lets time pass: a target that went quiet turns stale. Returns the views that changed. */
  tick(): TargetView[];
  /** Why a job must not run now, if so. */
  hold(targetId: string, job: string): SkipReason | undefined;
  skipped(targetId: string, job: string, reason: SkipReason, count: number): void;
  /** Counts what could not be used. @returns the reason it is counted under: `other` when a target invents ever more. */
  rejected(targetId: string, reason: string, count: number): string;
  view(targetId: string): TargetView | undefined;
  views(): TargetView[];
}

const SEVERITY: Readonly<Record<TargetState, Severity>> = {
  unknown: "info",
  healthy: "info",
  online: "info",
  degraded: "warning",
  stale: "warning",
  error: "error",
  failing: "error",
  offline: "critical",
};

/** Interval assumed for a cron job where a number is needed (staleness, stretched intervals). */
const CRON_EVERY_MS = 60_000;

function rulesOf(target: ConfiguredTarget): HealthRules {
  const every: Record<string, number> = {};
  for (const [job, { trigger }] of Object.entries(target.jobs)) every[job] = intervalOf(trigger) ?? CRON_EVERY_MS;
  return { every, pause: target.pause };
}

/** How each policy moves a target's health on. */
const STEPS = { plugin: stepPlugin, kit: stepKit, service: stepService } as const satisfies Record<
  HealthPolicy,
  unknown
>;

const isKit = (target: ConfiguredTarget) => target.plugin.health === "kit";

/** Holds every target's health, moves it on by the pure folds of plugin.ts, kit.ts and service.ts, and tells of each change of state. */
export function createMonitor(deps: MonitorDeps): Monitor {
  const entries = new Map<string, Entry>();

  function staleJobs(entry: Entry, now: number): string[] {
    return Object.keys(entry.rules.every).filter((job) => {
      const { lastOk } = jobHealth(entry.health, job);
      return lastOk !== null && now - lastOk > staleAfter(entry.rules, job);
    });
  }

  function viewOf(entry: Entry): TargetView {
    return {
      target: entry.target,
      state: entry.health.state,
      consecutiveFailures: consecutiveFailures(entry.health),
      errors: entry.errors,
      lastRun: entry.lastRun,
      lastSuccess: entry.lastSuccess,
      lastError: entry.lastError,
      backoff: entry.health.backoff,
      identity: entry.identity,
      identityChanges: entry.identityChanges,
      staleJobs: staleJobs(entry, deps.now()),
      runs: entry.counts,
      rejected: entry.rejected,
    };
  }

  function settle(entry: Entry, before: TargetState, details: string): void {
    const { state } = entry.health;
    if (state === before) return;
    const kind = isKit(entry.target) ? "kit" : "target";
    const severity = SEVERITY[state];
    const transition = {
      at: deps.wall(),
      kind,
      id: entry.target.id,
      from: before,
      to: state,
      severity,
      details,
    } as const;
    deps.onTransition(transition, viewOf(entry));
  }

  function noteIdentity(entry: Entry, told: string | undefined): void {
    if (told === undefined || told === entry.identity) return;
    const from = entry.identity;
    entry.identity = told;
    const twin = [...entries.values()].find((other) => other !== entry && other.identity === told)?.target.id;
    if (from === null && twin === undefined) return;
    entry.identityChanges++;
    const details = [
      ...(from === null ? [] : ["the target calls itself by another id than before"]),
      ...(twin === undefined ? [] : [`${twin} calls itself the same`]),
      "its rows keep the configured id",
    ].join("; ");
    const { id } = entry.target;
    const change = { at: deps.wall(), kind: "identity", id, from: from ?? "unknown", to: told, details } as const;
    deps.onTransition({ ...change, severity: "warning" }, viewOf(entry));
  }

  function noteOutcome(entry: Entry, run: Run): string {
    countRun(entry.counts, run);
    entry.lastRun = run.finishedAt;
    if (run.outcome.status === "ok") {
      entry.lastSuccess = run.finishedAt;
      noteIdentity(entry, run.outcome.collected.identity);
      return `${run.job} answered`;
    }
    if (run.outcome.status === "empty") return run.outcome.reason;
    const { message } = run.outcome.error;
    entry.errors++;
    entry.lastError = `${run.job}: ${message}`;
    return entry.lastError;
  }

  function observe(run: Run): TargetView | undefined {
    const entry = entries.get(run.targetId);
    if (!entry) return undefined;
    const finished = deps.now();
    const before = entry.health.state;
    const step = STEPS[entry.target.plugin.health ?? "plugin"];
    const event = {
      job: run.job,
      started: finished - run.durationMs,
      finished,
      outcome: run.outcome,
      random: deps.random(),
    };
    entry.health = step(entry.health, event, entry.rules);
    const details = noteOutcome(entry, run);
    settle(entry, before, details);
    return viewOf(entry);
  }

  function tick(): TargetView[] {
    const changed: TargetView[] = [];
    for (const entry of entries.values()) {
      if (!isKit(entry.target)) continue;
      const before = entry.health.state;
      const state = kitState(entry.health, deps.now(), entry.rules);
      if (state === before) continue;
      entry.health = { ...entry.health, state };
      settle(entry, before, "no fresh data within the threshold");
      changed.push(viewOf(entry));
    }
    return changed;
  }

  return {
    add(target, remembered) {
      entries.set(target.id, {
        target,
        rules: rulesOf(target),
        health: UNKNOWN,
        errors: 0,
        lastRun: null,
        lastSuccess: remembered?.lastSuccess ?? null,
        lastError: null,
        identity: remembered?.identity ?? null,
        identityChanges: 0,
        counts: {},
        rejected: {},
      });
    },
    remove: (targetId) => void entries.delete(targetId),
    observe,
    tick,
    hold(targetId, job) {
      const entry = entries.get(targetId);
      if (!entry) return undefined;
      const { holdUntil, circuit } = jobHealth(entry.health, job);
      if (deps.now() >= holdUntil) return undefined;
      return isKit(entry.target) || circuit?.phase === "open" ? "open_circuit" : "paused";
    },
    skipped(targetId, job, reason, count) {
      const entry = entries.get(targetId);
      if (entry) countSkipped(entry.counts, job, reason, count);
    },
    rejected(targetId, reason, count) {
      const entry = entries.get(targetId);
      return entry ? countRejected(entry.rejected, reason, count) : reason;
    },
    view(targetId) {
      const entry = entries.get(targetId);
      return entry && viewOf(entry);
    },
    views: () => [...entries.values()].map(viewOf),
  };
}
