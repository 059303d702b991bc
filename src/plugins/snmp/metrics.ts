import type { MetricSpec } from "../../model/sample.ts";

/** Interfaces and table rows of one agent that are shown at most. */
export const MAX_INTERFACES = 512;
export const MAX_VALUES = 2_000;
const port = { labels: ["interface"], maxSeries: MAX_INTERFACES } as const;
const counter = { ...port, type: "counter" } as const;
const value = { labels: ["name", "index"], maxSeries: MAX_VALUES } as const;

export const METRICS = {
  snmp_info: { help: "What the agent calls itself.", unit: "info", labels: ["name", "description"], maxSeries: 1 },
  snmp_uptime_seconds: { help: "Time since the agent started.", unit: "seconds" },
  snmp_interface_up: { ...port, help: "Whether the interface works." },
  snmp_interface_speed_bytes: { ...port, help: "Speed of the interface in bytes per second.", unit: "bytes" },
  snmp_interface_receive_bytes_total: { ...counter, help: "Bytes received.", unit: "bytes" },
  snmp_interface_transmit_bytes_total: { ...counter, help: "Bytes sent.", unit: "bytes" },
  snmp_interface_receive_errors_total: { ...counter, help: "Packets received with an error." },
  snmp_interface_transmit_errors_total: { ...counter, help: "Packets that could not be sent for an error." },
  snmp_interface_receive_drop_total: { ...counter, help: "Received packets that were dropped." },
  snmp_interface_transmit_drop_total: { ...counter, help: "Packets dropped on the way out." },
  snmp_value: {
    ...value,
    help: "A configured value that goes up and down, times its scale; index is empty for single ones.",
  },
  snmp_counted_total: { ...value, help: "A configured value that only grows, times its scale.", type: "counter" },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
