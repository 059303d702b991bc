import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { claimedNames, type ExposedFamily, type Format } from "./format.ts";
import { counters, gauges, guarded, isAmount } from "./instruments.ts";
import { familiesOf, typeOf } from "./prom-client.ts";
import { createPunctuality, ON_TIME_SECONDS } from "./punctuality.ts";
import { DROP_REASONS } from "./snapshot.ts";

export interface SelfOptions {
  readonly version: string;
  /** Commit the build came from. */
  readonly revision?: string;
  /** Monotonic milliseconds; the process's own when absent. */
  readonly monotonic?: () => number;
  /** Label values known up front: their counters exist at 0 from the start, so that a first increase is an increase. */
  readonly known?: {
    readonly tables?: readonly string[];
    readonly storeErrors?: readonly string[];
    readonly rejected?: readonly string[];
    readonly dropped?: readonly string[];
  };
}

/** What the store tells at scrape time. A reader that throws counts as a store that is down, with its backlog unknown. */
export interface StoreReadings {
  up(): boolean;
  pendingRows(): number;
  /** What the spool holds; `oldestAt` in epoch milliseconds, null when it is empty. */
  spool(): { readonly records: number; readonly bytes: number; readonly oldestAt: number | null };
}

/** Records what the collector does. Nothing here throws; an amount that is no non-negative finite number is ignored. */
export interface Self {
  jobDuration(plugin: string, job: string, seconds: number): void;
  /** A due run began, so long after it was due. */
  runBegan(lagSeconds: number): void;
  /** Due runs did not happen, because the one before was still under way. */
  runsMissed(count: number): void;
  /** Rows handed over to be stored; what became of them is in the counters below, and in the store's gauges. */
  taken(rows: number): void;
  stored(table: string, rows: number): void;
  duplicates(table: string, rows: number): void;
  storeError(reason: string): void;
  rejected(reason: string, rows?: number): void;
  dropped(reason: string, rows?: number): void;
  /** For `createSnapshot({ onDropped })`. */
  seriesDropped(reason: string, points?: number): void;
  scraped(format: Format, seconds: number, series: number): void;
  configReloaded(successful: boolean, at: Date): void;
  /** How many plugins have a row in the database that cannot be used. */
  pluginsRefused(count: number): void;
  /** How many external plugins cannot be loaded. */
  pluginsFailed(count: number): void;
  /** The process of an external plugin was lost, and another one is started. */
  pluginRestarted(plugin: string): void;
  /** From now on the store's gauges are read from here; they say 0 before. */
  readStore(readings: StoreReadings): void;
  /** From now on there is a cache, and whether it answers; nothing is said of one before. @returns what counts look-ups by result */
  watchCache(isUp: () => boolean): (result: string) => void;
  /** All of it as it stands, for the encoder. */
  families(): Promise<ExposedFamily[]>;
  /** Every name these families take up. */
  names(): string[];
  /** Stops measuring the event loop. */
  close(): void;
}

const EMPTY = { records: 0, bytes: 0, oldestAt: null };

/** prom-client's default metrics that are left out. */
const EXCLUDED_DEFAULTS = [
  // Gauges named `_total`, which promtool takes for counters; `sum(nodejs_active_resources)` and so on say the same.
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
  // 9,223,372,036 seconds whenever two scrapes come within its 10 ms.
  "nodejs_eventloop_lag_min_seconds",
];
/** From a /proc read to a job at its deadline. */
const JOB_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From the timer's own resolution to more than most intervals. */
const LAG_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SCRAPE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const LOOP_RESOLUTION_MS = 10;

/** Creates the collector's own instruments, in a registry of their own. */
export function createSelf(options: SelfOptions): Self {
  const registry = new Registry();
  const registers = [registry];
  const known = options.known ?? {};
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  let store: StoreReadings = { up: () => false, pendingRows: () => 0, spool: () => EMPTY };

  const counter = counters(registry);
  const taken = new Counter({ name: "gleaner_rows_taken_total", help: "Rows handed over to be stored.", registers });
  const jobs = new Histogram({
    name: "gleaner_job_duration_seconds",
    help: "How long runs of jobs took, retries and waits included.",
    labelNames: ["plugin", "job"],
    buckets: JOB_SECONDS,
    registers,
  });
  const lag = new Histogram({
    name: "gleaner_schedule_lag_seconds",
    help: "How late runs began, waiting for a free place included.",
    buckets: LAG_SECONDS,
    registers,
  });
  const scrapeSeconds = new Histogram({
    name: "gleaner_scrape_duration_seconds",
    help: "How long expositions took to make, compression included.",
    buckets: SCRAPE_SECONDS,
    registers,
  });
  const gauge = gauges(registry);
  gauge("gleaner_store_up", "Whether the database answered last.", () => (guarded(store.up, false) ? 1 : 0));
  gauge("gleaner_store_pending_rows", "Rows taken but not yet in the database.", () =>
    guarded(store.pendingRows, Number.NaN),
  );
  const spool = () => guarded(store.spool, EMPTY);
  gauge("gleaner_spool_bytes", "Compressed size of what waits in the spool.", () => spool().bytes);
  gauge("gleaner_spool_batches", "Batches that wait in the spool.", () => spool().records);
  gauge(
    "gleaner_spool_oldest_timestamp_seconds",
    "When the oldest batch in the spool was taken; 0 when it is empty.",
    () => (spool().oldestAt ?? 0) / 1_000,
  );
  const punctuality = createPunctuality(options.monotonic ?? (() => performance.now()));
  gauge(
    "gleaner_schedule_on_time_ratio",
    `Share of the runs due within the last minute that began within ${ON_TIME_SECONDS} s; NaN when none was due.`,
    () => punctuality.read().onTime,
  );
  gauge(
    "gleaner_schedule_lag_max_seconds",
    "How late the latest run of the last minute began.",
    () => punctuality.read().maxLag,
  );
  gauge("gleaner_event_loop_lag_seconds", "99th percentile of the event loop's lateness since the last scrape.", () =>
    takeLag(loop),
  );
  const scrapeSeries = gauge("gleaner_scrape_series", "Series in the last exposition.");
  const reloaded = gauge(
    "gleaner_config_last_reload_successful",
    "Whether the last load of the configuration succeeded.",
  );
  const reloadedAt = gauge(
    "gleaner_config_last_reload_success_timestamp_seconds",
    "When the configuration was last loaded with success.",
  );
  const refused = gauge(
    "gleaner_plugin_changes_refused",
    "Plugins whose row in the database cannot be used: what was in force before stays.",
  );
  const failed = gauge("gleaner_plugins_failed", "External plugins that cannot be loaded.");
  buildInfo(registry, options);
  collectDefaultMetrics({ register: registry });
  for (const name of EXCLUDED_DEFAULTS) registry.removeSingleMetric(name);

  return {
    jobDuration: (plugin, job, seconds) => {
      if (isAmount(seconds)) jobs.observe({ plugin, job }, seconds);
    },
    runBegan: (seconds) => {
      if (!isAmount(seconds)) return;
      lag.observe(seconds);
      punctuality.began(seconds);
    },
    runsMissed: (count) => {
      if (isAmount(count)) punctuality.missed(count);
    },
    taken: (rows) => {
      if (isAmount(rows)) taken.inc(rows);
    },
    stored: counter("gleaner_store_rows_total", "Rows newly stored.", "table", known.tables),
    duplicates: counter(
      "gleaner_store_duplicate_rows_total",
      "Rows that were stored already: replays and unchanged observations.",
      "table",
      known.tables,
    ),
    storeError: counter("gleaner_store_errors_total", "Failed writes to the database.", "reason", known.storeErrors),
    rejected: counter(
      "gleaner_rows_rejected_total",
      "Rows or values that could not be used.",
      "reason",
      known.rejected,
    ),
    dropped: counter("gleaner_rows_dropped_total", "Good rows that were given up.", "reason", known.dropped),
    seriesDropped: counter(
      "gleaner_series_dropped_total",
      "Points that were not exposed, each time they came.",
      "reason",
      DROP_REASONS,
    ),
    scraped: scrapes(registry, scrapeSeconds, scrapeSeries),
    configReloaded: (successful, at) => {
      reloaded.set(successful ? 1 : 0);
      if (successful) reloadedAt.set(at.getTime() / 1_000);
    },
    pluginsRefused: (count) => refused.set(count),
    pluginsFailed: (count) => failed.set(count),
    pluginRestarted: counter(
      "gleaner_plugin_restarts_total",
      "Processes of external plugins that were started because the one before was lost.",
      "plugin",
    ),
    readStore: (readings) => {
      store = readings;
    },
    watchCache(isUp) {
      gauge("gleaner_cache_up", "Whether the cache answers.", () => (guarded(isUp, false) ? 1 : 0));
      const results = ["hit", "miss", "unavailable"];
      return counter("gleaner_cache_requests_total", "Look-ups in the cache, by what came of them.", "result", results);
    },
    families: () => familiesOf(registry),
    names: () => registry.getMetricsAsArray().flatMap((metric) => claimedNames(metric.name, typeOf(metric))),
    close: () => loop.disable(),
  };
}

function scrapes(registry: Registry, duration: Histogram, series: Gauge): Self["scraped"] {
  const formats: readonly Format[] = ["text", "openmetrics"];
  const count = counters(registry)("gleaner_scrapes_total", "Expositions served.", "format", formats);
  return (format, seconds, size) => {
    count(format);
    if (isAmount(seconds)) duration.observe(seconds);
    series.set(size);
  };
}

function buildInfo(registry: Registry, { version, revision }: SelfOptions): void {
  const labels = {
    version,
    ...(revision === undefined ? {} : { revision }),
    node_version: process.version,
    platform: process.platform,
    arch: process.arch,
  };
  new Gauge({
    name: "gleaner_build_info",
    help: "The running gleaner; always 1.",
    labelNames: Object.keys(labels),
    registers: [registry],
  }).set(labels, 1);
}

/** The monitor measures whole intervals between its own ticks: what is over its resolution is lateness. */
function takeLag(loop: ReturnType<typeof monitorEventLoopDelay>): number {
  const p99 = loop.count === 0 ? 0 : loop.percentile(99) / 1e6;
  loop.reset();
  return Math.max(0, p99 - LOOP_RESOLUTION_MS) / 1e3;
}
