import type { AlertSpec } from "../../model/alert.ts";

const HEAT = {
  impact: "The kit slows down and hears less; its radio drifts, and in the end it switches itself off.",
  check: [
    '`gleaner_kit_temperature_celsius{kit="<kit>"}` by `sensor` (cpu, pluto, zynq) over the day: sun, or load?',
    '`gleaner_kit_cpu_usage_ratio{kit="<kit>"}`.',
  ],
  fix: ["Shade the case, clean its vents, check its fan.", "Lower the load: fewer bands, or a shorter duty cycle."],
};

/** Kits that are hot: their CPU, or one of the two chips of their radio. */
export const KIT_TEMPERATURE: readonly AlertSpec[] = [
  {
    name: "kit_hot",
    op: "gt",
    threshold: 75,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{sensor} of kit {kit} is at {value} °C.",
    runbook: { ...HEAT, meaning: "A chip of the kit has been above 75 °C for 10 minutes." },
  },
  {
    name: "kit_too_hot",
    op: "gt",
    threshold: 85,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "{sensor} of kit {kit} is at {value} °C.",
    runbook: { ...HEAT, meaning: "A chip of the kit has been above 85 °C for 5 minutes." },
  },
];

const SPACE = {
  impact: "A kit without space stops logging and may not start again.",
  check: [
    "On the kit: `df -h /`, `du -xh --max-depth=2 / | sort -h | tail`.",
    '`gleaner_kit_disk_used_ratio{kit="<kit>"}` over the last weeks.',
  ],
  fix: ["Delete old logs and captures on the kit; set up their rotation.", "Put in a larger card or disk."],
};

/** Kits whose disk fills up. */
export const KIT_DISK: readonly AlertSpec[] = [
  {
    name: "kit_disk_filling",
    op: "gt",
    threshold: 0.85,
    for: "15m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "The disk of kit {kit} is {value:percent} full.",
    runbook: { ...SPACE, meaning: "More than 85 % of the kit's disk is used." },
  },
  {
    name: "kit_disk_almost_full",
    op: "gt",
    threshold: 0.95,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "The disk of kit {kit} is {value:percent} full.",
    runbook: { ...SPACE, meaning: "More than 95 % of the kit's disk is used." },
  },
];

/** Kits that run out of memory. */
export const KIT_MEMORY: readonly AlertSpec[] = [
  {
    name: "kit_memory_low",
    op: "gt",
    threshold: 0.92,
    for: "15m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the memory of kit {kit} is in use.",
    runbook: {
      meaning: "Less than 8 % of the kit's memory has been available for 15 minutes.",
      impact: "The kit swaps or ends processes: observations are lost without an error.",
      check: [
        "On the kit: `free -h`, `ps aux --sort=-rss | head`.",
        '`gleaner_kit_memory_used_ratio{kit="<kit>"}`: a slow rise is a leak, a step is something new.',
      ],
      fix: ["Restart the process that grows, or the kit.", "Report a leak to the makers of that process."],
    },
  },
];
