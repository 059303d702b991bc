import type { AlertSpec } from "../../model/alert.ts";
import type { MetricSpec } from "../../model/sample.ts";

const HOT: readonly AlertSpec[] = [
  {
    name: "gpu_hot",
    op: "gt",
    threshold: 85,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{gpu} of {target} is at {value} °C.",
    runbook: {
      meaning: "A graphics processor has been above 85 °C for 10 minutes; most slow themselves down from there on.",
      impact: "It computes more slowly, and its life is shortened; above its limit it switches itself off.",
      check: ["`nvidia-smi -q -d TEMPERATURE,PERFORMANCE`, `gleaner_gpu_fan_ratio`; dust and the air around it."],
      fix: ["Clean it and give it air.", "Lower its power limit: `nvidia-smi -pl <watts>`."],
    },
  },
];

const gpu = { labels: ["gpu"], maxSeries: 64 } as const;

export const METRICS = {
  gpu_info: { help: "What the graphics processor is.", unit: "info", labels: ["gpu", "name", "driver"], maxSeries: 64 },
  gpu_utilization_ratio: { ...gpu, help: "Share of the time in which it computed.", unit: "ratio" },
  gpu_memory_utilization_ratio: {
    ...gpu,
    help: "Share of the time in which its memory was read or written.",
    unit: "ratio",
  },
  gpu_memory_total_bytes: { ...gpu, help: "Its own memory.", unit: "bytes" },
  gpu_memory_used_bytes: { ...gpu, help: "Its own memory that is in use.", unit: "bytes" },
  gpu_temperature_celsius: { ...gpu, help: "Its temperature.", unit: "celsius", alert: HOT },
  gpu_power_watts: { ...gpu, help: "Power it draws.", unit: "watts" },
  gpu_power_limit_watts: { ...gpu, help: "Power it may draw.", unit: "watts" },
  gpu_fan_ratio: { ...gpu, help: "Speed of its fan, of the highest.", unit: "ratio" },
  gpu_clock_hertz: { ...gpu, help: "Clock of its processors.", unit: "hertz" },
  gpu_memory_clock_hertz: { ...gpu, help: "Clock of its memory.", unit: "hertz" },
  gpu_ecc_errors_total: {
    help: "Memory errors in its life, by whether they could be corrected.",
    type: "counter",
    labels: ["gpu", "result"],
    maxSeries: 128,
  },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
