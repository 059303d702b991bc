import type { Buffers } from "../buffer/buffers.ts";
import { seriesText } from "../buffer/layout.ts";
import type { Cache, CachedTarget } from "../cache/cache.ts";
import type { Monitor } from "../health/monitor.ts";
import type { MetricsQuery, MetricsView, Reads, StatusView, SummaryView } from "../http/app/reads.ts";
import { canonicalPluginId } from "../model/plugin.ts";
import type { OpenStore } from "../store/open.ts";
import { statusRecord } from "./records.ts";

export interface LatestDeps {
  readonly monitor: Pick<Monitor, "view">;
  readonly buffers: Pick<Buffers, "points">;
  /** The database, while it is there. */
  readonly store: () => Pick<OpenStore, "latestValues" | "storedStatus" | "storedSummary"> | undefined;
  /** Where one is configured. */
  readonly cache: () => Cache | undefined;
  readonly now: () => Date;
}

export interface Latest extends Reads {
  /** How a target of this collector is now, for the cache. */
  describe(targetId: string): CachedTarget | undefined;
}

type Value = MetricsView["metrics"][number];
type Known = Pick<MetricsView, "plugin" | "metrics">;

/** The most series of one answer. */
const MOST = 1_000;
/** Runs of a job that are looked through for one that went well. */
const LOOK_BACK = 20;
/** Answers of the database on what is now are kept by whole steps of time (ms). */
const STEP_MS = 10_000;
/** Questions to the database at once: writing goes on beside them, over the same connections. */
const MAX_QUESTIONS = 4;
/** How long an answer of the database is waited for (ms). */
const PATIENCE_MS = 2_000;
/** What a question on all metrics of a target is kept under. */
const ALL = "*";

/**
 * Latest values and states, from where they are quickest to have: this collector's own memory, what other collectors
 * left in the cache, the database.
 */
export function createLatest({ monitor, buffers, store, cache, now }: LatestDeps): Latest {
  let asked = 0;

  /** Asks the database; undefined when it cannot be asked now. */
  async function ask<T>(
    question: (db: NonNullable<ReturnType<LatestDeps["store"]>>) => Promise<T>,
  ): Promise<{ readonly answer: T } | undefined> {
    const db = store();
    if (!db || asked >= MAX_QUESTIONS) return undefined;
    asked++;
    // One that hangs keeps its place until the database gives it up; who asked does not wait for that.
    const answered = question(db)
      .then((answer) => ({ answer }))
      .catch(() => undefined)
      .finally(() => {
        asked--;
      });
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), PATIENCE_MS);
    try {
      return await Promise.race([answered, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  const lastGood = (targetId: string, job: string, lookBack: number) =>
    buffers.points(targetId, job, lookBack).findLast(({ outcome }) => outcome === "ok");

  /** What the last good run of each job of a target of this collector brought. */
  function inMemory(targetId: string): Known | undefined {
    const view = monitor.view(targetId);
    if (!view) return undefined;
    const metrics = Object.keys(view.target.jobs).flatMap((job): Value[] => {
      const last = lastGood(targetId, job, 1) ?? lastGood(targetId, job, LOOK_BACK);
      return Object.entries(last?.data ?? {}).map(([series, value]) => ({ series, value, time: last?.time ?? null }));
    });
    return metrics.length > 0 ? { plugin: view.target.plugin.id, metrics } : undefined;
  }

  async function inDatabase(
    targetId: string,
    { metric, at }: MetricsQuery,
  ): Promise<Known | undefined | "unavailable"> {
    const time = at ?? new Date(Math.ceil(now().getTime() / STEP_MS) * STEP_MS);
    const kept = asKnown(await cache()?.query(targetId, metric ?? ALL, time));
    if (kept) return kept;
    const asked = await ask((db) =>
      db.latestValues({ targetId, limit: MOST, at: time, ...(metric === undefined ? {} : { metric }) }),
    );
    if (!asked) return "unavailable";
    const [first] = asked.answer;
    if (!first) return undefined;
    const metrics = asked.answer.map(({ metric, labels, value, time }) => ({
      series: seriesText({ metric, labels }),
      value,
      time,
    }));
    const known = { plugin: first.pluginId, metrics };
    // Not waited for: the answer is there.
    void cache()?.setQuery(targetId, metric ?? ALL, time, known);
    return known;
  }

  async function metricsOf(targetId: string, query: MetricsQuery): Promise<MetricsView | "unknown" | "unavailable"> {
    const { metric, at, limit } = query;
    const wanted = ({ series }: Value) => metric === undefined || series === metric || series.startsWith(`${metric}{`);
    const view = (source: MetricsView["source"], { plugin, metrics }: Known): MetricsView => ({
      ...{ target: targetId, plugin, source },
      metrics: metrics.filter(wanted).slice(0, limit),
    });
    const own = at ? undefined : inMemory(targetId);
    if (own) return view("memory", own);
    const cached = at ? undefined : asKnown(await cache()?.latestMetrics(targetId));
    if (cached) return view("cache", cached);
    const stored = await inDatabase(targetId, query);
    if (stored === "unavailable") return stored;
    if (stored) return view("database", stored);
    const known = monitor.view(targetId);
    return known ? view("memory", { plugin: known.target.plugin.id, metrics: [] }) : "unknown";
  }

  function ownStatus(targetId: string): Omit<StatusView, "source"> | undefined {
    const view = monitor.view(targetId);
    return view && { target: targetId, ...shown(statusRecord(view)) };
  }

  async function statusOf(targetId: string): Promise<StatusView | "unknown" | "unavailable"> {
    const own = ownStatus(targetId);
    if (own) return { ...own, source: "memory" };
    const cached = asStatus(await cache()?.pluginStatus(targetId));
    if (cached) return { ...cached, source: "cache" };
    const stored = await ask((db) => db.storedStatus(targetId));
    if (!stored) return "unavailable";
    return stored.answer ? { target: targetId, ...shown(stored.answer), source: "database" } : "unknown";
  }

  /** Plugins that run by default have a target of their name, in either spelling. */
  async function bySpelling<T extends object>(
    id: string,
    look: (targetId: string) => Promise<T | "unknown" | "unavailable">,
  ): Promise<T | "unknown" | "unavailable"> {
    const found = await look(id);
    return found === "unknown" && canonicalPluginId(id) !== id ? look(canonicalPluginId(id)) : found;
  }

  return {
    metrics: (id, query) => bySpelling(id, (targetId) => metricsOf(targetId, query)),
    status: (id) => bySpelling(id, statusOf),
    async summary() {
      const cached = asSummary(await cache()?.dashboardData());
      if (cached) return { ...cached, source: "cache" };
      const stored = await ask((db) => db.storedSummary());
      if (!stored) return "unavailable";
      const summary = { at: now(), ...stored.answer };
      void cache()?.setDashboardData(summary);
      return { ...summary, source: "database" };
    },
    describe(targetId) {
      const latest = inMemory(targetId);
      const status = ownStatus(targetId);
      return status && { id: targetId, latest, status };
    },
  };
}

function shown({
  pluginId,
  state,
  lastRun,
  lastSuccess,
  lastError,
  errorCount,
  consecutiveErrors,
}: ReturnType<typeof statusRecord>) {
  return {
    ...{ plugin: pluginId, state, lastRun, lastSuccess, lastError },
    ...{ failures: errorCount, consecutiveFailures: consecutiveErrors },
  };
}

/** Others write to the cache too, and may be of another version: what has not the form of ours is not there. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function asKnown(value: unknown): Known | undefined {
  if (!isObject(value) || typeof value["plugin"] !== "string" || !Array.isArray(value["metrics"])) return undefined;
  const isValue = (one: unknown) =>
    isObject(one) && typeof one["series"] === "string" && typeof one["value"] === "number";
  return value["metrics"].every(isValue) ? (value as unknown as Known) : undefined;
}

function asStatus(value: unknown): Omit<StatusView, "source"> | undefined {
  const isOurs = isObject(value) && typeof value["target"] === "string" && typeof value["state"] === "string";
  return isOurs ? (value as unknown as StatusView) : undefined;
}

function asSummary(value: unknown): Omit<SummaryView, "source"> | undefined {
  const isOurs = isObject(value) && isObject(value["targets"]) && isObject(value["plugins"]);
  return isOurs ? (value as unknown as SummaryView) : undefined;
}
