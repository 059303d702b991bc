import type { AlertSpec } from "../../model/alert.ts";
import type { MetricSpec } from "../../model/sample.ts";

const CLOCK = {
  impact:
    "Times of rows and alerts are wrong; logins with one-time passwords, certificates and clusters begin to fail.",
  check: [
    "`chronyc tracking` or `timedatectl timesync-status` here, and on the server.",
    "`date -u` beside a clock that is right.",
  ],
};

const OFFSET: readonly AlertSpec[] = [
  {
    name: "clock_offset_high",
    op: "gt",
    threshold: 0.5,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "The clock here and that of {target} are {value:duration} apart.",
    runbook: {
      ...CLOCK,
      meaning:
        "For 10 minutes the clock of the collector's host and that of the time server have been half a second or more apart.",
      fix: [
        "Start the time service of this host, and let it step: `chronyc makestep`.",
        "If the server is wrong: use another.",
      ],
    },
  },
];

const SYNCHRONIZED: readonly AlertSpec[] = [
  {
    name: "ntp_unsynchronized",
    op: "lt",
    threshold: 1,
    for: "10m",
    severity: "warning",
    summary: "The time server {target} does not know the time itself.",
    runbook: {
      ...CLOCK,
      meaning: "The server answers that its clock is not set by any source it trusts.",
      fix: ["Give the server sources that it reaches: `chronyc sources`, `ntpq -p`."],
    },
  },
];

export const METRICS = {
  ntp_offset_seconds: {
    help: "How far the server's clock is ahead of the one here; negative when behind.",
    unit: "seconds",
  },
  ntp_absolute_offset_seconds: {
    help: "How far the two clocks are apart.",
    unit: "seconds",
    range: { min: 0 },
    alert: OFFSET,
  },
  ntp_round_trip_seconds: { help: "Time the packets were on their way, there and back.", unit: "seconds" },
  ntp_stratum: { help: "Servers between it and a clock: 1 has a clock of its own, 16 does not know the time." },
  ntp_root_delay_seconds: { help: "Round trip from the server to the clock it goes by.", unit: "seconds" },
  ntp_root_dispersion_seconds: { help: "How far off the server thinks it may be.", unit: "seconds" },
  ntp_precision_seconds: { help: "Smallest step of the server's clock.", unit: "seconds" },
  ntp_reference_timestamp_seconds: { help: "When the server's clock was last set.", unit: "seconds" },
  ntp_leap: { help: "What the server announces: 1 for that.", labels: ["state"] },
  ntp_synchronized: { help: "Whether the server knows the time.", alert: SYNCHRONIZED },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
