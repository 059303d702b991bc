import type { Sample } from "../../model/sample.ts";
import { toUtc } from "../../model/time.ts";
import { fieldAt, isRecord, numberOf, sample, samplesOf, textAt } from "../client/mapping.ts";
import { HEALTH, type Metric, STATES } from "./metrics.ts";

type Samples = readonly Sample<Metric>[];
type Labels = Readonly<{ name: string }>;

/** A container as the listing has it. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

/** The containers of `GET /containers/json`; an entry that is none is passed over. */
export function parseListing(value: unknown): readonly Listed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown): Listed[] => {
    const [id, names, state] = ["Id", "Names", "State"].map((key) => fieldAt(entry, key));
    const name = Array.isArray(names) ? nameOf(names) : undefined;
    // The id goes into a path.
    if (typeof id !== "string" || !/^[0-9a-f]{12,64}$/.test(id) || name === undefined) return [];
    return [{ id, name, state: typeof state === "string" ? state : "" }];
  });
}

/** A container that others link to has a name for each of them, such as /web/db: its own is that with one slash. */
function nameOf(names: readonly unknown[]): string | undefined {
  const texts = names.filter((name) => typeof name === "string");
  return (texts.find((name) => name.lastIndexOf("/") === 0) ?? texts[0])?.replace(/^\//, "").slice(0, 128);
}

/** The state of a listed container. */
export const stateSamples = ({ name, state }: Listed): Samples =>
  STATES.map((one) => sample("container_state", Number(one === state), { name, state: one }));

/** What `GET /containers/<id>/json` says. */
export function inspectSamples(value: unknown, labels: Labels): Samples {
  const started = fieldAt(value, "State.Running") === true ? toUtc(fieldAt(value, "State.StartedAt")) : undefined;
  const killed = fieldAt(value, "State.OOMKilled");
  const health = fieldAt(value, "State.Health.Status");
  return [
    ...samplesOf<Metric>(value, [{ from: "RestartCount", to: "container_restarts_total" }], labels),
    ...(started ? [sample("container_start_timestamp_seconds" as const, started.getTime() / 1000, labels)] : []),
    ...(typeof killed === "boolean" ? [sample("container_oom_killed" as const, Number(killed), labels)] : []),
    ...(HEALTH.some((state) => state === health)
      ? HEALTH.map((state) => sample("container_health" as const, Number(state === health), { ...labels, state }))
      : []),
  ];
}

const STATS = [
  { from: "cpu_stats.cpu_usage.total_usage", to: "container_cpu_seconds_total", scale: 1e-9 },
  { from: "cpu_stats.throttling_data.throttled_time", to: "container_cpu_throttled_seconds_total", scale: 1e-9 },
  { from: "memory_stats.limit", to: "container_memory_limit_bytes" },
  { from: "pids_stats.current", to: "container_tasks" },
] as const;

/** What `GET /containers/<id>/stats` says of a running container. */
export function statsSamples(value: unknown, labels: Labels): Samples {
  // On Windows CPU time counts in 100 ns, and what is there of memory goes by other names.
  const known = fieldAt(value, "memory_stats.usage") === undefined && fieldAt(value, "num_procs") ? [] : STATS;
  return [
    ...samplesOf<Metric>(value, known, labels),
    ...memory(value, labels),
    ...networks(value, labels),
    ...blocks(value, labels),
  ];
}

/** Without the page cache that nobody has used of late, as the docker command counts. */
function memory(value: unknown, labels: Labels): Samples {
  const usage = numberOf(fieldAt(value, "memory_stats.usage"));
  if (usage === undefined) return [];
  const keys = ["total_inactive_file", "inactive_file"];
  const cache = keys
    .map((key) => numberOf(fieldAt(value, `memory_stats.stats.${key}`)))
    .find((one) => one !== undefined);
  return [sample("container_memory_usage_bytes", cache !== undefined && cache < usage ? usage - cache : usage, labels)];
}

function networks(value: unknown, labels: Labels): Samples {
  const devices = fieldAt(value, "networks");
  if (!isRecord(devices)) return [];
  const sum = (field: string) =>
    Object.values(devices).reduce<number>((all, device) => all + (numberOf(fieldAt(device, field)) ?? 0), 0);
  return [
    sample("container_network_receive_bytes_total", sum("rx_bytes"), labels),
    sample("container_network_transmit_bytes_total", sum("tx_bytes"), labels),
  ];
}

function blocks(value: unknown, labels: Labels): Samples {
  const entries = fieldAt(value, "blkio_stats.io_service_bytes_recursive");
  if (!Array.isArray(entries)) return [];
  // `Read` with cgroup 1, `read` with cgroup 2.
  const sum = (op: string) =>
    entries
      .filter((entry) => textAt(entry, "op").toLowerCase() === op)
      .reduce((all: number, entry) => all + (numberOf(fieldAt(entry, "value")) ?? 0), 0);
  return [
    sample("container_block_read_bytes_total", sum("read"), labels),
    sample("container_block_written_bytes_total", sum("write"), labels),
  ];
}
