import type { AlertSpec } from "../../model/alert.ts";

const OUTAGE = {
  impact: "What hangs on it goes off when the battery is empty, without notice to programs that nobody stops.",
  check: [
    "`gleaner_ups_battery_runtime_seconds`: how long there is; `upsc <ups>` on the server.",
    "Is the power away elsewhere, too?",
  ],
  fix: ["Restore the power; until then shut down what can be spared, then what must not be cut off."],
};
const CARE = {
  impact: "At the next outage the UPS does not do what it is there for.",
  check: ["`upsc <ups>`; the display of the UPS; the age of the battery: they last three to five years."],
};
const flag = (name: string, flag: string, rest: Omit<AlertSpec, "name" | "op" | "threshold" | "where">): AlertSpec => ({
  name,
  op: "gt",
  threshold: 0,
  where: { flag },
  ...rest,
});

/** What a UPS says of power and battery. */
export const POWER: readonly AlertSpec[] = [
  flag("ups_on_battery", "on_battery", {
    for: "1m",
    severity: "warning",
    summary: "{ups} of {target} runs on battery.",
    runbook: { ...OUTAGE, meaning: "The mains have been away, or too bad to use, for a minute." },
  }),
  flag("ups_battery_low", "low_battery", {
    for: "0s",
    severity: "critical",
    summary: "The battery of {ups} of {target} is nearly empty.",
    runbook: { ...OUTAGE, meaning: "The UPS warns that its battery is about to end." },
  }),
  flag("ups_replace_battery", "replace_battery", {
    for: "10m",
    severity: "critical",
    summary: "The battery of {ups} of {target} must be replaced.",
    runbook: {
      ...CARE,
      meaning: "The UPS found its battery worn out when it tested it.",
      fix: ["Replace the battery, and let the UPS test it."],
    },
  }),
  flag("ups_overloaded", "overloaded", {
    for: "2m",
    severity: "error",
    summary: "{ups} of {target} is overloaded.",
    runbook: {
      ...CARE,
      meaning: "More hangs on the UPS than it can bear.",
      fix: ["Take something off it, or get a larger one."],
    },
  }),
];

/** Batteries that are not full. */
export const BATTERY: readonly AlertSpec[] = [
  {
    name: "ups_charge_low",
    op: "lt",
    threshold: 0.5,
    for: "5m",
    severity: "warning",
    summary: "The battery of {ups} of {target} is at {value:percent}.",
    runbook: { ...OUTAGE, meaning: "The battery has been below half its charge for 5 minutes." },
  },
];

/** UPSes that nothing is heard from. */
export const STALE: readonly AlertSpec[] = [
  {
    name: "ups_not_heard",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: "{target} hears nothing from {ups}.",
    runbook: {
      ...CARE,
      meaning: "The server that speaks to the UPS answers, but has had no data from the UPS for 5 minutes.",
      fix: ["Check the cable (USB above all), then restart the driver: `upsdrvctl stop; upsdrvctl start`."],
    },
  },
];
