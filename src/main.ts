import packageJson from "../package.json" with { type: "json" };
import { createApplication } from "./app/application.ts";
import { banner } from "./app/banner.ts";
import { createFleet, type Fleet } from "./app/fleet.ts";
import { createPipeline } from "./app/pipeline.ts";
import { createProbe } from "./app/probe.ts";
import { pluginRecords, retiredKits } from "./app/records.ts";
import { watchConfig } from "./app/reload.ts";
import { reportKits } from "./app/report.ts";
import { createTelemetry } from "./app/telemetry.ts";
import { createHttpClient } from "./collect/http.ts";
import { createLimits } from "./collect/limits.ts";
import { createRunner } from "./collect/runner.ts";
import { type LoadOptions, loadConfig } from "./config/load.ts";
import { ConfigError } from "./config/problem.ts";
import { storeOptions } from "./config/store-options.ts";
import { resolveTargets } from "./config/targets.ts";
import { createRenderer } from "./expose/render.ts";
import { createSelf } from "./expose/self.ts";
import { createSnapshot } from "./expose/snapshot.ts";
import { createMonitor } from "./health/monitor.ts";
import { createLogger } from "./log.ts";
import { plugins } from "./plugins/registry.gen.ts";
import { startCron } from "./schedule/cron.ts";
import { createScheduler, type Slot } from "./schedule/scheduler.ts";
import { openStore } from "./store/open.ts";
import { ROW_TABLES } from "./store/tables.ts";
import { createWriter } from "./store/writer.ts";

const { version } = packageJson;
const TICK_MS = 5_000;
const REPORT_MS = 60_000;
/** Runs in flight get this long to finish once gleaner is told to stop; the rest of the 10 s is for the last write. */
const STOP_GRACE_MS = 6_000;
/** Rolling up and deleting by age, where the database does not do it itself: every hour, off the full hour. */
const MAINTENANCE = "7 * * * *";

/** A gleaner that runs in this process. `stop` finishes and stores what is in flight. */
export interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

/** Loads the configuration and resolves its targets. @throws {ConfigError} with every problem found. */
export function configure(options: LoadOptions) {
  const config = loadConfig(options);
  const { targets, problems } = resolveTargets(config, config.kitList, plugins);
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, targets };
}

/** Starts everything: the composition root, the only file that knows all the others. */
export async function serve(options: LoadOptions, print: (text: string) => void): Promise<Running> {
  const { config, targets } = configure(options);
  const log = createLogger(config.log.level);
  const startedAt = new Date();
  const now = () => new Date();
  const monotonic = () => performance.now();
  const draining = new AbortController();
  const abort = new AbortController();

  const telemetry = await createTelemetry({ version, env: options.env, log, eager: config.telemetry.otel });
  const store = await openStore(storeOptions(config));
  for (const note of store.notes) log.info({ store: store.label }, note);
  const remembered = await store.listKits();

  const self = createSelf({ version, known: { tables: Object.keys(ROW_TABLES) } });
  const snapshot = createSnapshot({ onDropped: self.seriesDropped });
  const storedRows: Record<string, number> = {};
  const writer = createWriter({
    store,
    batchSize: config.store.batch_size,
    batchTimeout: config.store.batch_timeout,
    now,
    onStored({ stored, duplicate }) {
      for (const [table, rows] of Object.entries(stored)) {
        self.stored(table, rows);
        storedRows[table] = (storedRows[table] ?? 0) + rows;
      }
      for (const [table, rows] of Object.entries(duplicate)) self.duplicates(table, rows);
    },
    onError(reason, error, lost) {
      if (lost > 0) self.dropped(reason, lost);
      else self.storeError(reason);
      log.error({ err: error, reason, lost }, lost > 0 ? "rows were given up" : "the store could not be written");
    },
  });
  self.readStore({ up: () => writer.isDown() === undefined, pendingRows: writer.pendingRows });
  self.configReloaded(true, startedAt);

  const monitor = createMonitor({
    now: monotonic,
    wall: now,
    random: Math.random,
    onTransition: (change) => pipeline.transition(change),
  });
  const http = createHttpClient();
  const runner = createRunner({
    http,
    log: (target) => log.child({ target: target.id }),
    now,
    monotonic,
    limit: createLimits({ plugins: config.scheduler.max_concurrent, kits: config.kits.max_concurrent }),
    draining: draining.signal,
  });
  const collect = (target: Parameters<typeof runner.run>[0], job: string, signal: AbortSignal) =>
    telemetry.current().run(`collect ${target.plugin.id}`, { target: target.id, job }, async (span) => {
      const run = await runner.run(target, job, signal);
      if (run.outcome.status === "failed") span.fail(run.outcome.error.message);
      telemetry.current().recordRun(run.pluginId, run.job, run.outcome.status, run.durationMs / 1_000);
      return run;
    });
  const scheduler = createScheduler({
    now: monotonic,
    wall: Date.now,
    hold: (slot) => monitor.hold(slot.targetId, slot.job),
    skipped: (slot, reason, count) => monitor.skipped(slot.targetId, slot.job, reason, count),
    async run({ targetId, job }: Slot) {
      const target = fleet.get(targetId);
      if (target) pipeline.accept(target, await collect(target, job, abort.signal));
    },
  });
  const pipeline = createPipeline({ monitor, snapshot, self, writer, log, fleet: () => fleet });
  const fleet: Fleet = createFleet({
    scheduler,
    monitor,
    snapshot,
    forget: runner.forget,
    added: ({ id }) => pipeline.show(id),
    log,
  });

  const renderer = createRenderer(snapshot, self);
  const probe = createProbe({ find: fleet.get, run: collect, accept: pipeline.accept });
  const app = createApplication({
    ...{
      version,
      startedAt,
      storeLabel: store.label,
      storedRows,
      scheduler,
      monitor,
      snapshot,
      renderer,
      writer,
      probe,
    },
    stopping: draining.signal,
    otelMetrics: telemetry.scrape,
  });
  // After telemetry, so that a configured OpenTelemetry sees express.
  const { createHttpServer } = await import("./http/server.ts");
  const { listen, tokens, allowed_hosts: allowedHosts } = config.server;
  const server = createHttpServer({ app, listen, tokens, allowedHosts, log });
  const { url } = await server.listen();

  await store.upsertPlugins(pluginRecords(plugins, targets));
  const apply = (wanted: typeof targets, known: typeof remembered) => {
    const changed = fleet.apply(wanted, known);
    for (const kit of retiredKits(known, fleet.list())) writer.kit(kit);
    return changed;
  };
  apply(targets, remembered);
  const watcher = watchConfig({
    ...{ files: [config.kits.file], self, log, now },
    apply: async () => apply(configure(options).targets, await store.listKits()),
  });
  const ticker = setInterval(pipeline.tick, TICK_MS);
  const reporter = setInterval(() => reportKits(monitor.views(), log), REPORT_MS);
  const maintenance = startCron(MAINTENANCE, undefined, () => {
    store.maintain(now(), draining.signal).catch((error) => log.error({ err: error }, "maintenance failed"));
  });
  print(
    banner({ version, url, storeLabel: store.label, timescale: store.timescale, sources: config.sources, targets }),
  );

  return {
    url,
    async stop() {
      draining.abort();
      for (const timer of [ticker, reporter]) clearInterval(timer);
      watcher.stop();
      maintenance.stop();
      const late = setTimeout(() => abort.abort(), STOP_GRACE_MS);
      await scheduler.stop();
      clearTimeout(late);
      await server.close();
      await writer.close();
      await http.close();
      await store.close();
      await telemetry.shutdown();
      self.close();
    },
  };
}
