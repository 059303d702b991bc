import { z } from "zod";
import { minutes, seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError } from "../model/run.ts";
import type { Collected, Rejection, Sample } from "../model/sample.ts";
import { path, tls } from "./client/fields.ts";
import { readConfigured } from "./client/files.ts";
import { fieldAt, sample } from "./client/mapping.ts";
import { inspectSamples, type Listed, parseListing, stateSamples, statsSamples } from "./docker/container.ts";
import { diskSamples } from "./docker/disk.ts";
import { askEngine, type Engine, engineAt } from "./docker/engine.ts";
import { MAX_CONTAINERS, METRICS, type Metric, STATES } from "./docker/metrics.ts";
import { matcher, patterns } from "./host/patterns.ts";

const config = z.strictObject({
  url: z
    .string()
    .max(1024)
    .regex(
      /^(unix:\/\/\/[^\0?#]+|(tcp|https?):\/\/[A-Za-z0-9._-]+(:\d{1,5})?\/?|(tcp|https?):\/\/\[[0-9A-Fa-f:]+\](:\d{1,5})?\/?)$/,
      {
        error: "expected the engine's address, such as unix:///var/run/docker.sock or tcp://192.168.1.5:2376",
      },
    )
    .refine((url) => url.startsWith("unix:") || URL.canParse(url), { error: "expected a port from 0 to 65535" })
    .default("unix:///var/run/docker.sock")
    .describe("Where the engine answers: Docker, or Podman's compatible socket."),
  tls_ca_file: tls.tls_ca_file,
  tls_cert_file: path
    .optional()
    .describe("Certificate (PEM) that gleaner shows the engine, over tcp with TLS.")
    .meta({ alternative: "/etc/gleaner/docker-cert.pem" }),
  tls_key_file: path
    .optional()
    .describe("Key of that certificate (PEM).")
    .meta({ alternative: "/etc/gleaner/docker-key.pem" }),
  exclude_containers: patterns
    .default([])
    .describe("Names of containers to leave out, as anchored regular expressions."),
  max_containers: z
    .int()
    .min(1)
    .max(MAX_CONTAINERS)
    .default(100)
    .describe("Containers shown one by one at most: running ones first. All are counted."),
});
type Config = z.output<typeof config>;

/** Containers asked about at the same time: each costs the engine some work. */
const AT_ONCE = 8;

async function engineOf({ url, tls_ca_file, tls_cert_file, tls_key_file }: Config): Promise<Engine> {
  const file = async (name: string, path: string | undefined) =>
    path === undefined ? undefined : await readConfigured(path, name);
  const ca = await file("tls_ca_file", tls_ca_file);
  const cert = await file("tls_cert_file", tls_cert_file);
  const key = await file("tls_key_file", tls_key_file);
  if (ca === undefined && cert === undefined) return engineAt(url);
  return engineAt(url, { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) });
}

/** One container; one that went away since it was listed brings its state alone. */
async function readContainer(engine: Engine, one: Listed, signal: AbortSignal): Promise<readonly Sample<Metric>[]> {
  const get = (what: string) =>
    askEngine(engine, `/containers/${one.id}/${what}`, signal).catch((error: unknown) => {
      if (error instanceof CollectError && error.status === 404) return undefined;
      throw error;
    });
  // One shot: without it the engine waits a second or two for a second measurement.
  const isRunning = one.state === "running";
  const [inspected, stats] = await Promise.all([
    get("json"),
    isRunning ? get("stats?stream=false&one-shot=true") : undefined,
  ]);
  const labels = { name: one.name };
  return [...stateSamples(one), ...inspectSamples(inspected, labels), ...statsSamples(stats, labels)];
}

/** Reads containers a few at a time. What the engine refuses is a rejection, unless it refuses everything. */
async function readContainers(
  engine: Engine,
  containers: readonly Listed[],
  signal: AbortSignal,
): Promise<Collected<Metric>> {
  // By place, so that the order is that of the list, whichever container answers first.
  const samples: (readonly Sample<Metric>[])[] = [];
  const rejected: Rejection[] = [];
  const queue = [...containers.entries()];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, one] = next;
      try {
        samples[index] = await readContainer(engine, one, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CollectError)) throw error;
        rejected.push({ reason: "container_unreadable", detail: `${one.name}: ${error.message}` });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { samples: samples.flat(), rejected };
}

const counts = (all: readonly Listed[]): readonly Sample<Metric>[] =>
  STATES.map((state) => sample("docker_containers", all.filter((one) => one.state === state).length, { state }));

function versionOf(version: unknown): readonly Sample<Metric>[] {
  const text = fieldAt(version, "Version");
  return typeof text === "string" ? [sample("docker_info", 1, { version: text.slice(0, 64) })] : [];
}

/** Running ones first; each name once. */
function chosen(all: readonly Listed[], { exclude_containers, max_containers }: Config): readonly Listed[] {
  const excluded = matcher(exclude_containers);
  const byName = new Map(all.filter(({ name }) => !excluded(name)).map((one) => [one.name, one]));
  const order = (one: Listed) => Number(one.state !== "running");
  return [...byName.values()].toSorted((a, b) => order(a) - order(b)).slice(0, max_containers);
}

/** Containers of a Docker or Podman engine: states, health, restarts, CPU, memory, network and disk. */
export const dockerMonitor = definePlugin({
  id: "docker_monitor",
  title: "Docker",
  summary: "Containers of a Docker or Podman engine: states, health, restarts, CPU, memory, network and disk.",
  category: "container",
  version: "1.0.0",
  tags: ["docker", "podman", "containers"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    containers: {
      summary: "Lists the containers and reads the counters of each.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        const engine = await engineOf(config);
        const version = await askEngine(engine, "/version", signal);
        const all = parseListing(await askEngine(engine, "/containers/json?all=true", signal));
        const containers = chosen(all, config);
        const { samples, rejected = [] } = await readContainers(engine, containers, signal);
        return { samples: [...versionOf(version), ...counts(all), ...samples], rejected };
      },
    },
    disk: {
      summary: "Asks how much disk space images, containers, volumes and the build cache take.",
      // The engine walks its files for it.
      every: minutes(15),
      timeout: seconds(60),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        const value = await askEngine(await engineOf(config), "/system/df", signal);
        const images = fieldAt(value, "Images");
        const count = Array.isArray(images) ? [sample("docker_images" as const, images.length)] : [];
        return { samples: [...count, ...diskSamples(value)] };
      },
    },
  },
});
