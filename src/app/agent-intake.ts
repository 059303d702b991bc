import { clashes, readDeclaration } from "../agents/declaration.ts";
import { readHealth } from "../agents/health.ts";
import { createSeriesCap, latestSamples, type SeriesCap } from "../agents/latest.ts";
import { readReport } from "../agents/report.ts";
import { HEALTH_JOB, REPORT_JOB, SILENT_INTERVALS } from "../agents/target.ts";
import type { Self } from "../expose/self.ts";
import type { Monitor } from "../health/monitor.ts";
import type { AgentAnswer, Agents } from "../http/app/agents.ts";
import { formatDuration } from "../model/duration.ts";
import { CollectError, type Run } from "../model/run.ts";
import type { Rejection } from "../model/sample.ts";
import { type Batch, type ConfiguredTarget, intervalOf } from "../model/target.ts";
import { toBatch } from "../process/pipeline.ts";
import type { AgentRegistry } from "./agents.ts";
import type { Pipeline } from "./pipeline.ts";

export interface AgentIntakeDeps {
  readonly registry: Pick<AgentRegistry, "find" | "change" | "list">;
  readonly target: (agentId: string) => ConfiguredTarget | undefined;
  readonly targets: () => readonly ConfiguredTarget[];
  readonly pipeline: Pick<Pipeline, "accept" | "report">;
  readonly monitor: Pick<Monitor, "hold" | "skipped" | "rejected">;
  readonly self: Pick<Self, "rejected">;
  /** Whether no more should be collected, because there is nowhere left to keep it. */
  readonly isFull: () => boolean;
  readonly now: () => Date;
  /** Milliseconds that neither jump nor run backwards. */
  readonly monotonic: () => number;
}

export interface AgentIntake extends Pick<Agents, "register" | "report" | "health"> {
  /** Lets time pass: an agent that is silent for too long has failed. Call it every second or so. */
  tick(): Promise<void>;
}

/** What is remembered of an agent while its target stays. */
interface Heard {
  readonly target: ConfiguredTarget;
  readonly cap: SeriesCap;
  /** When it last reported, or came to be watched (monotonic ms). */
  at: number;
  /** Intervals of silence that were counted as failures since then. */
  missed: number;
  /** By the agent's clock: what is older is kept, and no longer shown. */
  newest: number;
}

const NOT_DURABLE: AgentAnswer = {
  status: "unavailable",
  problems: ["it cannot be kept at the moment: keep it, and send it again"],
};
const UNKNOWN: AgentAnswer = { status: "unknown" };
const unusable = (...problems: readonly string[]): AgentAnswer => ({ status: "unusable", problems });

/** What agents send, taken in: durable before it is answered, and from then on like any other run. */
export function createAgentIntake(deps: AgentIntakeDeps): AgentIntake {
  const { registry, pipeline, monitor, now, monotonic } = deps;
  const heard = new Map<string, Heard>();

  function heardOf(target: ConfiguredTarget): Heard {
    const known = heard.get(target.id);
    if (known?.target === target) return known;
    const fresh = {
      ...{ target, at: monotonic(), missed: 0, newest: Number.NEGATIVE_INFINITY },
      cap: known?.cap ?? createSeriesCap(monotonic),
    };
    heard.set(target.id, fresh);
    return fresh;
  }

  /** The agent's target once it has registered; else what to answer. */
  function readyTarget(id: string): ConfiguredTarget | AgentAnswer {
    const agent = registry.find(id);
    if (!agent) return UNKNOWN;
    if (!agent.declared) return { status: "conflict", problems: ["register first: declare what will be reported"] };
    const target = deps.target(id);
    return target && isReported(target)
      ? target
      : { status: "conflict", problems: ["the id is that of another target here: the owner has to give another one"] };
  }

  /** A report that is none is told to its agent, and shown to its owner. */
  function bad(id: string, problem: string): AgentAnswer {
    deps.self.rejected(monitor.rejected(id, "bad_report", 1), 1);
    return unusable(problem);
  }

  function runOf(target: ConfiguredTarget, job: string, at: Date, outcome: Run["outcome"], durationMs = 0): Run {
    const ids = { targetId: target.id, pluginId: target.plugin.id, job };
    return { ...ids, startedAt: at, finishedAt: now(), durationMs, attempts: 1, outcome };
  }

  async function take(of: Heard, batch: Batch, isCurrent: boolean): Promise<AgentAnswer> {
    // It did report, whatever becomes of it here.
    [of.at, of.missed] = [monotonic(), 0];
    if (deps.isFull()) return NOT_DURABLE;
    const at = batch.run.startedAt;
    const shown = isCurrent ? { ...batch, samples: latestSamples(batch.samples, at) } : undefined;
    if (!(await pipeline.report(batch, shown))) return NOT_DURABLE;
    if (isCurrent) of.newest = Math.max(of.newest, at.getTime());
    return { status: "done", body: receiptOf(batch) };
  }

  return {
    async register(id, body) {
      if (!registry.find(id)) return UNKNOWN;
      const read = readDeclaration(body);
      if ("problems" in read) return unusable(...read.problems);
      const { declaration } = read;
      const metrics = Object.keys(declaration.metrics);
      const others = registry.list().filter((other) => other.id !== id && other.state !== "revoked");
      const theirs = others.flatMap((other) => other.metrics.map((metric) => metric.slice("gleaner_".length)));
      const clashing = clashes(metrics, theirs);
      if (clashing.length > 0) return { status: "conflict", problems: clashing };
      const exposed = Object.fromEntries(metrics.map((metric) => [metric.replace(/^agent_/, ""), `gleaner_${metric}`]));
      return registry.change(id, { declared: declaration, registeredAt: now() }, { metrics: exposed });
    },
    async report(id, body) {
      const target = readyTarget(id);
      if ("status" in target) return target;
      const report = readReport(body, now());
      if (typeof report === "string") return bad(id, report);
      const { at, durationMs, collected } = report;
      const of = heardOf(target);
      const made = toBatch(target, runOf(target, REPORT_JOB, at, { status: "ok", collected }, durationMs));
      const samples = of.cap.admit(made.samples);
      const batch = {
        ...made,
        samples,
        rejected: [...made.rejected, ...surplus(made.samples.length - samples.length)],
      };
      if (samples.length + batch.documents.length === 0 && batch.rejected.length > 0) {
        const problem = `nothing of the report can be used: ${reasonsOf(batch.rejected)}`;
        const failed = { status: "failed", error: new CollectError("bad_data", problem) } as const;
        const answer = await take(of, { ...batch, run: runOf(target, REPORT_JOB, at, failed, durationMs) }, false);
        return answer.status === "done" ? unusable(problem) : answer;
      }
      return take(of, batch, isCurrent(of, at, now()));
    },
    async health(id, body) {
      const target = readyTarget(id);
      if ("status" in target) return target;
      const said = readHealth(body, now());
      if (typeof said === "string") return bad(id, said);
      if (deps.isFull()) return NOT_DURABLE;
      const batch = toBatch(target, runOf(target, HEALTH_JOB, said.at, said.outcome));
      return (await pipeline.report(batch, batch)) ? { status: "done", body: {} } : NOT_DURABLE;
    },
    async tick() {
      const targets = deps.targets().filter(isReported);
      const current = new Set(targets.map(({ id }) => id));
      for (const id of heard.keys()) if (!current.has(id)) heard.delete(id);
      for (const target of targets) if (registry.find(target.id)?.declared) await notice(heardOf(target));
    },
  };

  /** Counts an interval of silence as a run that failed, once it is one too many. */
  async function notice(of: Heard): Promise<void> {
    const { target } = of;
    const every = everyOf(target);
    const silent = monotonic() - of.at;
    const missed = Math.floor(silent / every) - SILENT_INTERVALS + 1;
    if (missed <= of.missed) return;
    of.missed = missed;
    const hold = monitor.hold(target.id, REPORT_JOB);
    if (hold) return monitor.skipped(target.id, REPORT_JOB, hold, 1);
    const message = `no report for ${Math.round(silent / 1_000)} s; one is expected every ${formatDuration(every)}`;
    const outcome = { status: "failed", error: new CollectError("timeout", message) } as const;
    await pipeline.accept(target, runOf(target, REPORT_JOB, now(), outcome));
  }
}

/** Whether a target is one that reports by itself. */
export const isReported = (target: ConfiguredTarget): boolean =>
  Object.values(target.jobs).some(({ trigger }) => "reported" in trigger);

function everyOf({ jobs }: ConfiguredTarget): number {
  const trigger = jobs[REPORT_JOB]?.trigger;
  return (trigger && intervalOf(trigger)) ?? Number.POSITIVE_INFINITY;
}

/** What an agent catches up on is kept, and not shown as if it were now. */
const isCurrent = ({ target, newest }: Heard, at: Date, now: Date): boolean =>
  at.getTime() >= newest && now.getTime() - at.getTime() <= SILENT_INTERVALS * everyOf(target);

const surplus = (count: number): Rejection[] =>
  count > 0 ? [{ reason: "too_many_series", detail: "series of the agent within a day", count }] : [];

function reasonsOf(rejected: readonly Rejection[]): string {
  return rejected.map(({ reason, count = 1 }) => `${count} ${reason}`).join(", ");
}

function receiptOf({ samples, documents, rejected }: Batch): object {
  const reasons = new Map<string, number>();
  for (const { reason, count = 1 } of rejected) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return { accepted: samples.length + documents.length, rejected: Object.fromEntries(reasons) };
}
