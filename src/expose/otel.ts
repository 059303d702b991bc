import type { Attributes, Meter, Tracer } from "@opentelemetry/api";
import type { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import type { Logger } from "../model/plugin.ts";
import { sayRarely } from "./say-rarely.ts";

/** What the code inside a span can add to it. */
export interface SpanHandle {
  set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  /** Marks the span as failed, for failures that are values and not throws. */
  fail(message: string): void;
}

/** Traces and metrics about gleaner itself. */
export interface Telemetry {
  /**
   * Runs `work` in a span; what it starts by calling `run` again becomes child spans
   * (schedule > collect > process > store). A throw marks the span and goes on to the caller.
   */
  run<T>(
    name: string,
    attributes: Readonly<Record<string, string | number | boolean>>,
    work: (span: SpanHandle) => Promise<T>,
  ): Promise<T>;
  /** Counts one run of a job and how long it took. */
  recordRun(plugin: string, job: string, status: string, seconds: number): void;
  /** The metrics of `recordRun` in text format 0.0.4, for /metrics/otel. Rejects when they cannot be collected. */
  scrapeText(): Promise<string>;
  /** Sends what is left and stops; takes at most two seconds, never rejects. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  readonly version: string;
  /** The process' environment. The SDK reads its OTEL_* variables from process.env itself, so this has to be that. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of failing exports, at most once a minute. */
  readonly log?: Logger;
}

const SHUTDOWN_MS = 2_000;
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const noSpan: SpanHandle = { set() {}, fail() {} };

/** Telemetry that does nothing and loads nothing. */
export const noTelemetry: Telemetry = {
  run: (_name, _attributes, work) => work(noSpan),
  recordRun() {},
  scrapeText: async () => "# telemetry is off\n",
  shutdown: async () => {},
};

/**
 * Starts telemetry. Metrics for /metrics/otel are always kept; spans are made and anything is sent only when
 * OTEL_EXPORTER_OTLP_ENDPOINT, or its variant for one signal, is set. Without it only the metrics SDK is loaded
 * (8 MB; the whole SDK takes 20), and there is no network and no span.
 *
 * With it, load pg, express and whatever else is to be traced after this has resolved, CommonJS ones by require:
 * the instrumentations hook require, and see ES modules only through a loader.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { version, env } = options;
  const { MeterProvider } = await import("@opentelemetry/sdk-metrics");
  const { PrometheusExporter, PrometheusSerializer } = await import("@opentelemetry/exporter-prometheus");
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutTargetInfo: true });
  // A provider of its own: given any reader, the SDK would no longer make the OTLP one from its variables.
  const provider = new MeterProvider({ readers: [exporter] });
  const push = signalsToPush(env);
  const pushed = push === undefined ? undefined : await startPushing(push, options);
  const meters = [provider.getMeter("gleaner", version), ...(pushed === undefined ? [] : [pushed.meter])];
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return {
    run: pushed === undefined ? noTelemetry.run : inSpan(pushed.tracer, pushed.errorStatus),
    recordRun: runRecorder(meters),
    scrapeText: () => scrape(exporter, (resourceMetrics) => serializer.serialize(resourceMetrics)),
    shutdown: () => within(SHUTDOWN_MS, [provider.shutdown(), pushed?.shutdown()]),
  };
}

interface Signals {
  readonly traces: boolean;
  readonly metrics: boolean;
}

/** Which signals have somewhere to go, or undefined when none has: the SDK's own default is localhost, whether anyone listens or not. */
function signalsToPush(env: TelemetryOptions["env"]): Signals | undefined {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return undefined;
  const all = Boolean(env["OTEL_EXPORTER_OTLP_ENDPOINT"]);
  const traces = all || Boolean(env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]);
  const metrics = all || Boolean(env["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]);
  return traces || metrics ? { traces, metrics } : undefined;
}

interface Pushing {
  readonly tracer: Tracer;
  readonly meter: Meter;
  readonly errorStatus: number;
  shutdown(): Promise<void>;
}

/** Starts the SDK with the transports its variables name: OTLP over HTTP with protobuf unless OTEL_EXPORTER_OTLP_PROTOCOL says http/json or grpc. */
async function startPushing({ traces, metrics }: Signals, { version, env, log }: TelemetryOptions): Promise<Pushing> {
  const api = await import("@opentelemetry/api");
  if (log !== undefined && env["OTEL_LOG_LEVEL"] === undefined) {
    const say = sayRarely((message) => log.warn({}, `telemetry export failed: ${reasonIn(message)}`));
    const quiet = (): void => {};
    const logger = { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet };
    api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true });
  }
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const sdk = new NodeSDK({
    ...(isNamed(env) ? {} : { serviceName: "gleaner" }),
    // Left out, span processors and readers come from the variables; an empty list means none.
    ...(traces ? {} : { spanProcessors: [] }),
    ...(metrics ? {} : { metricReaders: [] }),
    logRecordProcessors: [],
    instrumentations: await loadInstrumentations(),
  });
  sdk.start();
  return {
    tracer: api.trace.getTracer("gleaner", version),
    meter: api.metrics.getMeter("gleaner", version),
    errorStatus: api.SpanStatusCode.ERROR,
    async shutdown() {
      // Leave the process as it was found, so that telemetry can be started again.
      for (const part of [api.trace, api.metrics, api.context, api.propagation]) part.disable();
      try {
        await sdk.shutdown();
      } finally {
        api.diag.disable();
      }
    },
  };
}

/** The SDK reports errors as JSON with the whole stack in it. */
function reasonIn(message: string): string {
  const reason = /"message":"((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? message;
  return reason.slice(0, 200);
}

async function loadInstrumentations() {
  const [http, express, pg, undici] = await Promise.all([
    import("@opentelemetry/instrumentation-http"),
    import("@opentelemetry/instrumentation-express"),
    import("@opentelemetry/instrumentation-pg"),
    import("@opentelemetry/instrumentation-undici"),
  ]);
  return [
    new http.HttpInstrumentation(),
    new express.ExpressInstrumentation(),
    new pg.PgInstrumentation(),
    new undici.UndiciInstrumentation(),
  ];
}

function isNamed(env: TelemetryOptions["env"]): boolean {
  return Boolean(env["OTEL_SERVICE_NAME"]) || (env["OTEL_RESOURCE_ATTRIBUTES"] ?? "").includes("service.name=");
}

function inSpan(tracer: Tracer, errorStatus: number): Telemetry["run"] {
  return (name, attributes: Attributes, work) =>
    tracer.startActiveSpan(name, { attributes }, async (span) => {
      const fail = (message: string): unknown => span.setStatus({ code: errorStatus, message });
      try {
        return await work({ set: (more) => void span.setAttributes(more), fail });
      } catch (error) {
        fail(error instanceof Error ? error.message : "threw something that is no Error");
        throw error;
      } finally {
        span.end();
      }
    });
}

function runRecorder(meters: readonly Meter[]): Telemetry["recordRun"] {
  const instruments = meters.map((meter) => ({
    runs: meter.createCounter("gleaner.runs", { description: "Finished runs of jobs, by status." }),
    duration: meter.createHistogram("gleaner.run.duration.seconds", {
      description: "How long runs of jobs took.",
      unit: "s",
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    }),
  }));
  return (plugin, job, status, seconds) => {
    for (const { runs, duration } of instruments) {
      runs.add(1, { plugin, job, status });
      duration.record(seconds, { plugin, job });
    }
  };
}

type Collected = Awaited<ReturnType<PrometheusExporter["collect"]>>["resourceMetrics"];

/** The exporter's own handler answers 200 with a comment when collection fails; a scrape must fail then. */
async function scrape(exporter: PrometheusExporter, serialize: (metrics: Collected) => string): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect();
  if (errors.length > 0) throw new AggregateError(errors, "telemetry could not be collected");
  const text = serialize(resourceMetrics);
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** Waits for all, whatever becomes of them, but no longer than `ms`. */
async function within(ms: number, promises: readonly (Promise<void> | undefined)[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([late, Promise.allSettled(promises)]);
  clearTimeout(timer);
}
