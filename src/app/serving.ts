import type { LoadedConfig } from "../config/loaded.ts";
import { createRenderer } from "../expose/render.ts";
import type { Self } from "../expose/self.ts";
import type { ExposedSnapshot } from "../expose/snapshot.ts";
import type { Logger } from "../model/plugin.ts";
import { createAlertIntake } from "./alert-intake.ts";
import { type ApplicationDeps, createApplication } from "./application.ts";
import type { Flow } from "./flow.ts";
import type { Keeping } from "./keeping.ts";
import { createProbe } from "./probe.ts";
import type { LazyTelemetry } from "./telemetry.ts";
import type { Wanted } from "./wanted.ts";

export interface ServingDeps
  extends Pick<ApplicationDeps, "version" | "startedAt" | "monitor" | "buffers" | "components" | "reads" | "stopping"> {
  readonly settings: LoadedConfig["server"];
  readonly keeping: Pick<Keeping, "label" | "rows" | "writer">;
  readonly wanted: Pick<Wanted, "registry" | "agents">;
  readonly flow: Pick<Flow, "scheduler" | "pipeline" | "collect">;
  readonly snapshot: ExposedSnapshot;
  readonly self: Self;
  readonly telemetry: Pick<LazyTelemetry, "scrape">;
  readonly now: () => Date;
  readonly log: Logger;
}

export interface Serving {
  readonly url: string;
  /** Lets answers under way finish for so long (ms), then hangs up. Never rejects. */
  close(grace: number): Promise<void>;
}

/** Answers over HTTP: puts together what the server may ask of the process, and listens. @throws as `listenOn` does */
export async function startServing(deps: ServingDeps): Promise<Serving> {
  const { settings, keeping, wanted, flow, self, telemetry, now, log, ...rest } = deps;
  const { writer, label: storeLabel, rows: storedRows } = keeping;
  const app = createApplication({
    ...{
      ...rest,
      scheduler: flow.scheduler,
      writer,
      storeLabel,
      storedRows,
      registry: wanted.registry,
      agents: wanted.agents.api,
    },
    renderer: createRenderer(deps.snapshot, self),
    probe: createProbe({ find: wanted.agents.startable, run: flow.collect, accept: flow.pipeline.accept }),
    receiveAlerts: createAlertIntake({ writer, self, now }),
    otelMetrics: telemetry.scrape,
  });
  // After telemetry, so that a configured OpenTelemetry sees express.
  const { createHttpServer } = await import("../http/server.ts");
  const { listen, tokens, allowed_hosts: allowedHosts } = settings;
  const server = createHttpServer({ app, listen, tokens, allowedHosts, log });
  const { url } = await server.listen();
  return { url, close: server.close };
}
