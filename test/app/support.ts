import type { Point } from "../../src/expose/types.ts";
import { createMonitor, type Monitor } from "../../src/health/monitor.ts";
import type { Transition } from "../../src/model/health.ts";
import type { Logger, Plugin } from "../../src/model/plugin.ts";
import type { Run } from "../../src/model/run.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";
import type { KitRecord } from "../../src/store/store.ts";
import { pluginOf, targetOf } from "../support/targets.ts";

/** A plugin of kits with three jobs, none of which is ever run here. */
export const kitPlugin: Plugin = pluginOf(async () => ({ samples: [] }), {
  id: "kit_plugin",
  health: "kit",
  metrics: {
    kit_drones: { help: "Tracks.", labels: ["track_type"] },
    kit_cpu_usage_ratio: { help: "CPU.", unit: "ratio" },
  },
  jobs: Object.fromEntries(
    ["drones", "signals", "status"].map((job) => [
      job,
      { summary: job, every: 1_000, collect: async () => ({ samples: [] }) },
    ]),
  ),
});

export const kitOf = (id: string, url: string, more: Partial<ConfiguredTarget> = {}): ConfiguredTarget =>
  targetOf(kitPlugin, { id, name: id, config: { api_url: url }, ...more });

/** A kit configured without an id: it goes by its address until it tells one. */
export const namelessKit = (url: string): ConfiguredTarget => kitOf(new URL(url).host, url, { provisional: true });

export const record = (kitId: string, apiUrl: string, more: Partial<KitRecord> = {}): KitRecord => ({
  ...{ kitId, name: null, location: null, apiUrl, status: "online", lastSeen: null, enabled: true },
  ...{ source: "http", tags: {}, uid: kitId },
  ...more,
});

export function runOf(target: ConfiguredTarget, job: string, outcome: Run["outcome"]): Run {
  const at = new Date("2026-03-01T12:00:00.000Z");
  const timing = { startedAt: at, finishedAt: new Date(at.getTime() + 20), durationMs: 20, attempts: 1 };
  return { targetId: target.id, pluginId: target.plugin.id, job, outcome, ...timing };
}

export interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A logger that keeps what it is told. */
export function keepingLog(): Logger & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A real monitor whose clock the test moves. */
export function monitorAt(clock: { now: number }, onTransition: (change: Transition) => void = () => {}): Monitor {
  return createMonitor({
    now: () => clock.now,
    wall: () => new Date("2026-03-01T12:00:00.000Z"),
    random: () => 0.5,
    onTransition,
  });
}

/** A series as the exposition writes it. */
export const seriesText = ({ family, labels }: Point): string =>
  `${family.name}{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",")}}`;
