import { z } from "zod";
import { definePlugin, type Job, type Plugin } from "../../src/model/plugin.ts";
import { CollectError, type Run } from "../../src/model/run.ts";
import type { ConfiguredTarget } from "../../src/model/target.ts";

/** A plugin around one function, for tests of what surrounds plugins. */
export function pluginOf(collect: Job["collect"], overrides: Partial<Plugin> = {}): Plugin {
  return {
    ...definePlugin({
      id: "probe",
      title: "Probe",
      summary: "A plugin of a test.",
      category: "custom",
      version: "1.0.0",
      enabledByDefault: false,
      config: z.strictObject({}),
      metrics: {
        probe_value: { help: "A value.", labels: ["part"], maxSeries: 3 },
        probe_events_total: { help: "A count.", type: "counter" },
      },
      jobs: { main: { summary: "The only job.", every: 1_000, collect: collect as never } },
    }),
    ...overrides,
  } as Plugin;
}

/** A target of that plugin with the defaults of a kit (5 s back-off up to 300 s, stale after 60 s) and no retries. */
export function targetOf(plugin: Plugin, overrides: Partial<ConfiguredTarget> = {}): ConfiguredTarget {
  return {
    id: "t1",
    name: "t1",
    plugin,
    config: {},
    tags: {},
    jobs: Object.fromEntries(
      Object.keys(plugin.jobs).map((job) => [job, { trigger: { every: 1_000 }, timeout: 1_000 }]),
    ),
    retry: { retries: 0, delay: 10, growth: { kind: "exponential", factor: 2 } },
    pause: { initialBackoff: 5_000, maxBackoff: 300_000, staleAfter: 60_000 },
    ...overrides,
  };
}

export const ok = (
  collected: Partial<Extract<Run["outcome"], { status: "ok" }>["collected"]> = {},
): Run["outcome"] => ({
  status: "ok",
  collected: { samples: [], ...collected },
});

export const failed = (
  kind: CollectError["kind"],
  options: ConstructorParameters<typeof CollectError>[2] = {},
): Run["outcome"] => ({
  status: "failed",
  error: new CollectError(kind, `it was ${kind}`, options),
});

export const empty = (reason = "nothing here"): Run["outcome"] => ({ status: "empty", reason });
