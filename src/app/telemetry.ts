import { AsyncLocalStorage } from "node:async_hooks";
import { negotiate } from "../expose/negotiate.ts";
import { noTelemetry, startTelemetry, type Telemetry, type TelemetryOptions } from "../expose/otel.ts";
import type { Exposition } from "../http/app/exposition.ts";

export interface LazyTelemetry extends Pick<Telemetry, "run" | "recordRun"> {
  /** `run` in a trace of its own, whatever is under way around the call. */
  runApart: Telemetry["run"];
  /** For /metrics/otel: the first scrape starts it. */
  scrape(): Promise<Exposition>;
  shutdown(): Promise<void>;
}

/**
 * OpenTelemetry, loaded when it is wanted: at once when it is configured or has somewhere to send to, else with the first
 * scrape of /metrics/otel. It costs a quarter of the memory that gleaner needs at rest.
 */
export async function createTelemetry(options: TelemetryOptions & { readonly eager: boolean }): Promise<LazyTelemetry> {
  let starting: Promise<Telemetry> | undefined;
  let telemetry = noTelemetry;
  // Taken here, where no span is. A timer carries the span it was armed in: a scheduler whose timer was last armed while
  // a kit was promoted would hang everything after it onto that one collection's trace, for ever.
  const outside = AsyncLocalStorage.snapshot();
  const start = (): Promise<Telemetry> => {
    starting ??= startTelemetry(options).then((started) => {
      telemetry = started;
      return started;
    });
    return starting;
  };
  const hasEndpoint = Object.entries(options.env).some(
    ([name, value]) => /^OTEL_EXPORTER_OTLP_(.*_)?ENDPOINT$/.test(name) && value,
  );
  if (options.eager || hasEndpoint) await start();
  return {
    run: (name, attributes, work) => telemetry.run(name, attributes, work),
    runApart: (name, attributes, work) => outside(() => telemetry.run(name, attributes, work)),
    recordRun: (...run) => telemetry.recordRun(...run),
    async scrape() {
      const { contentType } = negotiate({});
      return { contentType, body: Buffer.from(await (await start()).scrapeText()) };
    },
    shutdown: () => telemetry.shutdown(),
  };
}
