import { z } from "zod";
import { days } from "../../src/model/duration.ts";
import { definePlugin, type HealthPolicy } from "../../src/model/plugin.ts";
import { CollectError, type Run } from "../../src/model/run.ts";
import type { Document, Row, Sample } from "../../src/model/sample.ts";
import type { Batch, ConfiguredTarget } from "../../src/model/target.ts";
import type { KitRecord, Retention, StoreOptions, TargetStatus } from "../../src/store/store.ts";
import { type TakenBatch, toTaken } from "../../src/store/taken.ts";

/** Values that tests of the store need over and over, with what matters to the test as arguments. */

export const T0 = new Date("2026-03-01T12:00:00.000Z");
export const RETENTION: Retention = {
  raw: days(30),
  hourly: days(365),
  daily: days(5 * 365),
  systemHealth: days(90),
  alertHistory: days(90),
  compressAfter: days(7),
};

export const options = (url: string, retention: Retention = RETENTION): StoreOptions => ({
  url,
  retention,
  statementTimeout: 10_000,
  poolSize: 4,
});

export const after = (ms: number): Date => new Date(T0.getTime() + ms);

function target(id: string, health: HealthPolicy): ConfiguredTarget {
  const plugin = definePlugin({
    id: health === "kit" ? "kit_plugin" : "host_plugin",
    title: "Test",
    summary: "Test",
    category: "custom",
    version: "1.0.0",
    enabledByDefault: false,
    config: z.strictObject({}),
    metrics: {},
    health,
    jobs: {},
  });
  return {
    id,
    name: id,
    plugin,
    config: {},
    tags: {},
    jobs: {},
    retry: { retries: 0, delay: 0, growth: { kind: "linear" } },
    pause: { initialBackoff: 5_000, maxBackoff: 300_000, staleAfter: 60_000 },
  };
}

export interface BatchParts {
  readonly target?: string;
  readonly job?: string;
  readonly health?: HealthPolicy;
  readonly at?: Date;
  readonly samples?: readonly Sample[];
  readonly rows?: readonly Row[];
  readonly documents?: readonly Document[];
  readonly outcome?: Run["outcome"];
}

/** A batch as it is stored. */
export const batch = (parts: BatchParts): TakenBatch => toTaken(wholeBatch(parts), COLLECTOR);

const COLLECTOR = { host: "collector-1", environment: null, version: "1.2.3" };

/** A batch as collection hands it over. */
export function wholeBatch(parts: BatchParts): Batch {
  const { health = "plugin", at = T0, samples = [], rows = [], documents = [] } = parts;
  const of = target(parts.target ?? "host", health);
  return {
    target: of,
    run: {
      targetId: of.id,
      pluginId: of.plugin.id,
      job: parts.job ?? "main",
      startedAt: at,
      finishedAt: new Date(at.getTime() + 20),
      durationMs: 20,
      attempts: 1,
      outcome: parts.outcome ?? { status: "ok", collected: { samples } },
    },
    samples,
    metrics: {},
    rows,
    documents,
    rejected: [],
  };
}

export const failed = (message = "no answer"): Run["outcome"] => ({
  status: "failed",
  error: new CollectError("timeout", message),
});

export const drone = (id: string, at: Date, values: Row["values"] = {}): Row => ({
  table: "drones",
  at,
  values: { drone_id: id, track_type: "drone", ...values },
});

export const kit = (parts: Partial<KitRecord> & { kitId: string }): KitRecord => ({
  name: "Roof",
  location: null,
  apiUrl: "http://127.0.0.1:8088",
  status: "online",
  lastSeen: null,
  enabled: true,
  source: "http",
  tags: { site: "north" },
  uid: null,
  ...parts,
});

export const status = (parts: Partial<TargetStatus> & { targetId: string }): TargetStatus => ({
  pluginId: "host_plugin",
  state: "healthy",
  lastRun: T0,
  lastSuccess: T0,
  lastError: null,
  errorCount: 0,
  consecutiveErrors: 0,
  ...parts,
});
