import { negotiate } from "../expose/negotiate.ts";
import { noTelemetry, startTelemetry, type Telemetry, type TelemetryOptions } from "../expose/otel.ts";
import type { Exposition } from "../http/app.ts";

export interface LazyTelemetry {
  /** What is running now; does nothing until it was started. */
  current(): Telemetry;
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
    current: () => telemetry,
    async scrape() {
      const { contentType } = negotiate({});
      return { contentType, body: Buffer.from(await (await start()).scrapeText()) };
    },
    shutdown: () => telemetry.shutdown(),
  };
}
