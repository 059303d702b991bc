import { hostname } from "node:os";
import packageJson from "../package.json" with { type: "json" };
import { createBackground } from "./app/background.ts";
import { banner } from "./app/banner.ts";
import { createCaching } from "./app/caching.ts";
import { configure } from "./app/configure.ts";
import { createExternal } from "./app/external.ts";
import { createFlow } from "./app/flow.ts";
import { openKeeping } from "./app/keeping.ts";
import { KNOWN_LABELS } from "./app/known.ts";
import { createLatest } from "./app/latest.ts";
import { surviveOrphans } from "./app/orphans.ts";
import { watchConfig } from "./app/reload.ts";
import { startServing } from "./app/serving.ts";
import { createTelemetry } from "./app/telemetry.ts";
import { startTicking } from "./app/ticking.ts";
import { createWanted } from "./app/wanted.ts";
import { createBuffers } from "./buffer/buffers.ts";
import { createHttpClient } from "./collect/http.ts";
import { createLimits } from "./collect/limits.ts";
import { createRunner } from "./collect/runner.ts";
import { type LoadOptions, loadConfig } from "./config/load.ts";
import { createSelf } from "./expose/self.ts";
import { createSnapshot } from "./expose/snapshot.ts";
import { createComponents } from "./health/components.ts";
import { createMonitor } from "./health/monitor.ts";
import { createLogger } from "./log.ts";
import type { Transition } from "./model/health.ts";

const { version } = packageJson;
/**
 * The 10 s there are to stop: for runs in flight, then for HTTP answers, for what plugins keep open (CLOSE_MS of
 * collect/memory.ts), for the last write, and for hanging up on the database, which may hang itself; telemetry takes up to
 * 2 more.
 */
const STOP_MS = { runs: 4_000, answers: 500, write: 2_000, store: 1_000 } as const;

/** A gleaner that runs in this process. `stop` finishes and stores what is in flight. */
export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts everything: the composition root, the only file that knows all the others.
 * What was started is stopped in reverse order, in the end or when a later part cannot start.
 */
export async function serve(options: LoadOptions, print: (text: string) => void): Promise<Running> {
  const config = loadConfig(options);
  await using parts = new AsyncDisposableStack();
  const log = createLogger(config.log.level);
  const startedAt = new Date();
  const now = () => new Date();
  const monotonic = () => performance.now();
  const draining = new AbortController();

  parts.defer(surviveOrphans(log));
  const self = parts.adopt(createSelf({ version, known: KNOWN_LABELS }), (it) => it.close());
  const external = parts.adopt(createExternal({ log, env: options.env, restarted: self.pluginRestarted }), (it) =>
    it.close(),
  );
  const configured = await configure(config, external);
  self.configReloaded(true, startedAt);
  const telemetry = await createTelemetry({ version, env: options.env, log, eager: config.telemetry.otel });
  parts.defer(telemetry.shutdown);
  const snapshot = createSnapshot({ onDropped: self.seriesDropped });
  const host = hostname();
  const keeping = parts.adopt(
    await openKeeping({
      ...{ config, self, log, trace: telemetry.runApart, stopMs: STOP_MS },
      collector: { host, environment: config.environment ?? null, version },
    }),
    (it) => it.close(),
  );
  const { writer, store } = keeping;
  const remembered = await keeping.kits();
  const onTransition = (change: Transition) => flow.pipeline.transition(change);
  const monitor = createMonitor({ now: monotonic, wall: now, random: Math.random, onTransition });
  const http = parts.adopt(createHttpClient(), (it) => it.close());
  const runner = parts.adopt(
    createRunner({
      ...{ http, now, monotonic, draining: draining.signal },
      log: (target) => log.child({ target: target.id }),
      limit: createLimits({ plugins: config.scheduler.max_concurrent, kits: config.kits.max_concurrent }),
    }),
    (it) => it.close(),
  );
  const buffers = createBuffers({ maxBytes: config.background.buffer_bytes, now: Date.now });
  const components = createComponents({ wall: now, onTransition });
  const background = createBackground({
    ...{ monitor, buffers, components, snapshot, writer, spoolMaxBytes: keeping.spoolMaxBytes, now: Date.now },
    storeReached: () => store() !== undefined,
    targets: () => flow.fleet.list(),
  });
  const latest = createLatest({ monitor, buffers, store, cache: () => caching.cache, now });
  const caching = parts.adopt(
    await createCaching({ settings: config.cache, describe: latest.describe, self, log }),
    (it) => it.close(),
  );
  const flow = createFlow({
    ...{ runner, monitor, snapshot, writer, buffers, background, caching, telemetry, self, host, monotonic, log },
  });
  const wanted = createWanted({
    ...{ configured, external, keeping, flow, monitor, snapshot, self, now, monotonic, log },
    load: () => loadConfig(options),
  });
  const serving = await startServing({
    ...{ version, startedAt, settings: config.server, keeping, wanted, flow, monitor, snapshot },
    ...{ buffers, components, reads: latest, stopping: draining.signal, self, telemetry, now, log },
  });
  parts.defer(() => serving.close(STOP_MS.answers));
  const targets = await wanted.start(remembered);
  parts.defer(() => flow.stop(STOP_MS.runs));
  const watcher = watchConfig({ files: [config.kits.file], apply: wanted.reload, self, log, now });
  parts.defer(watcher.stop);
  const ticking = startTicking({
    ...{ pipeline: flow.pipeline, background, wanted, external, monitor, log, reload: watcher.reload },
    healthInterval: config.background.health_interval,
    maintain: () => void keeping.maintain(now(), draining.signal),
  });
  parts.defer(ticking.stop);
  parts.defer(() => draining.abort());
  const { url } = serving;
  const timescale = store()?.timescale ?? null;
  print(banner({ version, url, storeLabel: keeping.label, timescale, sources: config.sources, targets }));
  const started = parts.move();
  return { url, stop: () => started.disposeAsync() };
}
