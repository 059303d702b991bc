import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import packageJson from "../package.json" with { type: "json" };
import { createAgentDesk } from "./app/agent-desk.ts";
import { createAlertIntake } from "./app/alert-intake.ts";
import { createApplication } from "./app/application.ts";
import { createBackground } from "./app/background.ts";
import { banner } from "./app/banner.ts";
import { createCaching } from "./app/caching.ts";
import { createCollecting } from "./app/collecting.ts";
import { configure, reconfigure } from "./app/configure.ts";
import { createExternal } from "./app/external.ts";
import { createFleet, type Fleet } from "./app/fleet.ts";
import { KNOWN_LABELS } from "./app/known.ts";
import { createLatest } from "./app/latest.ts";
import { surviveOrphans } from "./app/orphans.ts";
import { createPipeline, type Pipeline } from "./app/pipeline.ts";
import { createPluginRegistry } from "./app/plugin-registry.ts";
import { createProbe } from "./app/probe.ts";
import { retiredKits } from "./app/records.ts";
import { watchConfig } from "./app/reload.ts";
import { reportKits } from "./app/report.ts";
import { linkStore } from "./app/store-link.ts";
import { createStoring } from "./app/storing.ts";
import { createTelemetry } from "./app/telemetry.ts";
import { createBuffers } from "./buffer/buffers.ts";
import { createHttpClient } from "./collect/http.ts";
import { createLimits } from "./collect/limits.ts";
import { createRunner } from "./collect/runner.ts";
import { type LoadOptions, loadConfig } from "./config/load.ts";
import { spoolOptions, storeOptions } from "./config/store-options.ts";
import { createRenderer } from "./expose/render.ts";
import { createSelf } from "./expose/self.ts";
import { createSnapshot } from "./expose/snapshot.ts";
import { createComponents } from "./health/components.ts";
import { createMonitor } from "./health/monitor.ts";
import { createLogger } from "./log.ts";
import { hours, minutes } from "./model/duration.ts";
import type { ConfiguredTarget } from "./model/target.ts";
import { startEvery } from "./schedule/every.ts";
import { createScheduler } from "./schedule/scheduler.ts";
import { openStore } from "./store/open.ts";
import { describeStore } from "./store/url.ts";

const { version } = packageJson;
const TICK_MS = 5_000;
const REPORT_MS = 60_000;
/** How often it is noticed that an agent is silent: they may mean to report every second. */
const AGENT_TICK_MS = 1_000;
/**
 * The 10 s there are to stop: for runs in flight, then for HTTP answers, for what plugins keep open (CLOSE_MS of
 * collect/memory.ts), for the last write, and for hanging up on the database, which may hang itself; telemetry takes up to
 * 2 more.
 */
const STOP_RUNS_MS = 4_000;
const STOP_ANSWERS_MS = 500;
const STOP_WRITE_MS = 2_000;
const STOP_STORE_MS = 1_000;
/** Rolling up and deleting by age, where the database does not do it itself: every hour, off the full hour. */
const MAINTENANCE = { every: hours(1), phase: minutes(7) };

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
  const abort = new AbortController();

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
  const { batch_size: batchSize, batch_timeout: batchTimeout } = config.store;
  const { label: storeLabel, embedded } = describeStore(config.store.url);
  const spool = spoolOptions(config);
  const link = parts.adopt(await linkStore({ open: () => openStore(storeOptions(config)), log }), (it) =>
    Promise.race([it.close(), sleep(STOP_STORE_MS, undefined, { ref: false })]),
  );
  const remembered = (await link.current()?.listKits()) ?? [];
  const host = hostname();
  const storing = createStoring({
    collector: { host, environment: config.environment ?? null, version },
    ...{ spool, pauseWhenFull: spool.whenFull === "block", batchSize, batchTimeout, closeTimeout: STOP_WRITE_MS },
    ...{ store: link.current, embedded, self, trace: telemetry.runApart, log },
  });
  const writer = parts.adopt(storing.writer, (it) => it.close());
  const onTransition: Pipeline["transition"] = (change) => pipeline.transition(change);
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
    ...{ monitor, buffers, components, snapshot, writer, spoolMaxBytes: spool.maxBytes, now: Date.now },
    storeReached: () => link.current() !== undefined,
    targets: () => fleet.list(),
  });
  const latest = createLatest({ monitor, buffers, store: link.current, cache: () => caching.cache, now });
  const caching = parts.adopt(
    await createCaching({ settings: config.cache, describe: latest.describe, self, log }),
    (it) => it.close(),
  );
  const pipeline = createPipeline({
    ...{ monitor, snapshot, self, writer, buffers, log, host, trace: telemetry.run, note: caching.note },
    fleet: () => fleet,
  });
  const { collect, runDue } = createCollecting({
    ...{ runner, telemetry, accept: pipeline.accept, abort: abort.signal, monotonic },
    began(lag) {
      self.runBegan(lag / 1_000);
      background.lag(lag);
    },
    find: (targetId) => fleet.get(targetId),
  });
  const scheduler = createScheduler({
    ...{ now: monotonic, wall: Date.now, run: runDue },
    hold: (slot) => (writer.isFull() ? "paused" : monitor.hold(slot.targetId, slot.job)),
    skipped(slot, reason, count) {
      monitor.skipped(slot.targetId, slot.job, reason, count);
      if (reason === "overlap") self.runsMissed(count);
    },
  });
  const fleet: Fleet = createFleet({
    ...{ scheduler, monitor, snapshot, log },
    left(view) {
      pipeline.retire(view);
      caching.forget(view.target.id);
    },
    forget(targetId) {
      runner.forget(targetId);
      buffers.forget(targetId);
    },
    added: ({ id }) => pipeline.show(id),
  });
  const applyWanted = async () => {
    // The database is not needed for it: it only knows the ids of kits that were configured without one.
    const known = await link
      .current()
      ?.listKits()
      .catch(() => []);
    // What is wanted by now: two of these may wait for the database at once.
    const applied = fleet.apply(agents.targets(), known ?? []);
    void external.keep(registry.plugins());
    return applied;
  };
  const applyTargets = (targets: readonly ConfiguredTarget[]) => {
    agents.want(targets);
    return applyWanted();
  };
  const registry = createPluginRegistry({ store: link.current, apply: applyTargets, self, log });
  const agents = createAgentDesk({
    ...{ plugins: new Set(configured.plugins.map(({ id }) => id)), environment: config.environment },
    ...{ now, monotonic, log, store: link.current, changed: applyWanted, fleet: () => fleet },
    ...{ pipeline, monitor, snapshot, self, isFull: writer.isFull },
  });

  const app = createApplication({
    ...{ version, startedAt, storeLabel, storedRows: storing.rows, scheduler, monitor, snapshot, writer },
    renderer: createRenderer(snapshot, self),
    probe: createProbe({ find: agents.startable, run: collect, accept: pipeline.accept }),
    agents: agents.api,
    reads: latest,
    receiveAlerts: createAlertIntake({ writer, self, now }),
    ...{ registry, buffers, components },
    stopping: draining.signal,
    otelMetrics: telemetry.scrape,
  });
  // After telemetry, so that a configured OpenTelemetry sees express.
  const { createHttpServer } = await import("./http/server.ts");
  const { listen, tokens, allowed_hosts: allowedHosts } = config.server;
  const server = createHttpServer({ app, listen, tokens, allowedHosts, log });
  const { url } = await server.listen();
  parts.defer(() => server.close(STOP_ANSWERS_MS));

  const targets = await registry.configure(configured);
  agents.want(targets);
  await agents.poll();
  fleet.apply(agents.targets(), remembered);
  await link.whenOpen(async (store) => {
    for (const kit of retiredKits(await store.listKits(), fleet.list())) writer.kit(kit);
  });
  parts.defer(async () => {
    const late = setTimeout(() => abort.abort(), STOP_RUNS_MS);
    await scheduler.stop();
    clearTimeout(late);
  });
  const reload = async () =>
    applyTargets(await registry.configure(await reconfigure(loadConfig(options), external, fleet.list())));
  const watcher = watchConfig({ files: [config.kits.file], apply: reload, self, log, now });
  parts.defer(watcher.stop);
  for (const timer of [
    setInterval(pipeline.tick, TICK_MS),
    setInterval(background.tick, TICK_MS),
    setInterval(background.evaluate, config.background.health_interval),
    setInterval(registry.poll, TICK_MS),
    setInterval(async () => (await external.isMended()) && watcher.reload(), TICK_MS),
    setInterval(agents.poll, TICK_MS),
    setInterval(agents.tick, AGENT_TICK_MS),
    setInterval(() => reportKits(monitor.views(), log), REPORT_MS),
  ])
    parts.defer(() => clearInterval(timer));
  const maintenance = startEvery(MAINTENANCE.every, MAINTENANCE.phase, () => {
    link
      .current()
      ?.maintain(now(), draining.signal)
      .catch((error) => log.error({ err: error }, "maintenance failed"));
  });
  parts.defer(maintenance.stop);
  parts.defer(() => draining.abort());
  print(
    banner({
      version,
      url,
      storeLabel,
      timescale: link.current()?.timescale ?? null,
      sources: config.sources,
      targets,
    }),
  );
  const started = parts.move();
  return { url, stop: () => started.disposeAsync() };
}
