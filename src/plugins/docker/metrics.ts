import type { MetricSpec } from "../../model/sample.ts";
import { RESTARTING, UNHEALTHY } from "./alerts.ts";

/** States of containers, as the engine names them. */
export const STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;
/** States of health checks; a container without one has none of them. */
export const HEALTH = ["starting", "healthy", "unhealthy"] as const;

/** Containers shown one by one at most. */
export const MAX_CONTAINERS = 500;
const container = { labels: ["name"], maxSeries: MAX_CONTAINERS } as const;
const counter = { ...container, type: "counter" } as const;

export const METRICS = {
  docker_info: { help: "Version of the engine.", unit: "info", labels: ["version"], maxSeries: 1 },
  docker_containers: { help: "Containers in each state.", labels: ["state"] },
  docker_images: { help: "Images that the engine keeps." },
  docker_disk_bytes: { help: "Disk space that the engine uses, by what for.", unit: "bytes", labels: ["kind"] },
  docker_disk_reclaimable_bytes: {
    help: "Disk space that `docker system prune` can free, by what it is used for.",
    unit: "bytes",
    labels: ["kind"],
  },
  container_state: {
    help: "State of the container: 1 for the one it is in.",
    labels: ["name", "state"],
    maxSeries: MAX_CONTAINERS * STATES.length,
    alert: RESTARTING,
  },
  container_health: {
    help: "State of the container's health check, where it has one.",
    labels: ["name", "state"],
    maxSeries: MAX_CONTAINERS * HEALTH.length,
    alert: UNHEALTHY,
  },
  container_restarts_total: { ...counter, help: "Times that the engine restarted the container." },
  container_start_timestamp_seconds: { ...container, help: "When the container was started.", unit: "seconds" },
  container_oom_killed: { ...container, help: "Whether the kernel ended it the last time for want of memory." },
  container_cpu_seconds_total: { ...counter, help: "CPU time of the container.", unit: "seconds" },
  container_cpu_throttled_seconds_total: {
    ...counter,
    help: "Time in which the container waited for CPU because of its limit.",
    unit: "seconds",
  },
  container_memory_usage_bytes: {
    ...container,
    help: "Memory in use, without page cache that can be dropped, as docker stats shows it.",
    unit: "bytes",
  },
  container_memory_limit_bytes: {
    ...container,
    help: "Memory the container may use; that of the host where it has no limit.",
    unit: "bytes",
  },
  container_network_receive_bytes_total: { ...counter, help: "Bytes received over all its networks.", unit: "bytes" },
  container_network_transmit_bytes_total: { ...counter, help: "Bytes sent over all its networks.", unit: "bytes" },
  container_block_read_bytes_total: { ...counter, help: "Bytes read from block devices.", unit: "bytes" },
  container_block_written_bytes_total: { ...counter, help: "Bytes written to block devices.", unit: "bytes" },
  container_tasks: { ...container, help: "Processes and threads of the container." },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
