import { MappingType, type ValueMap } from "@grafana/grafana-foundation-sdk/dashboard";
import { KIT_STATES, PLUGIN_STATES, type TargetState } from "../../model/health.ts";
import { metric } from "./queries.ts";

/** How a state looks. `code`: its number in a panel, the worse the higher, so that `max` is the worst of several. */
interface Look {
  readonly code: number;
  readonly color: string;
}

/** Kits and plugins share one scale; the word is always shown beside the colour. */
export const STATES: Readonly<Record<TargetState, Look>> = {
  unknown: { code: 0, color: "blue" },
  online: { code: 1, color: "green" },
  healthy: { code: 2, color: "green" },
  stale: { code: 3, color: "yellow" },
  degraded: { code: 4, color: "yellow" },
  error: { code: 5, color: "orange" },
  failing: { code: 6, color: "red" },
  offline: { code: 7, color: "red" },
};

/** Shows values as these words, in these colours. */
export function words(looks: Readonly<Record<string, { readonly text: string; readonly color: string }>>): ValueMap {
  return {
    type: MappingType.ValueToText,
    options: Object.fromEntries(Object.entries(looks).map(([value, look], index) => [value, { ...look, index }])),
  };
}

/** The number of a state -> its word. */
export const STATE_CODES = words(
  Object.fromEntries(Object.entries(STATES).map(([text, { code, color }]) => [code, { text, color }])),
);

/** The word of a state, as the database has it -> the same with its colour. */
export const STATE_WORDS = words(
  Object.fromEntries(Object.entries(STATES).map(([text, { color }]) => [text, { text, color }])),
);

/** Severities of transitions, and what came of a run. */
export const SEVERITY_WORDS = words({
  info: { text: "info", color: "blue" },
  warning: { text: "warning", color: "yellow" },
  error: { text: "error", color: "orange" },
  critical: { text: "critical", color: "red" },
});

export const OUTCOME_WORDS = words({
  success: { text: "success", color: "green" },
  empty: { text: "empty", color: "blue" },
  failed: { text: "failed", color: "red" },
});

/** 1 and 0 as two words; `good` says which of them is welcome. */
export function yesNo(yes: string, no: string, good: 0 | 1 = 1): ValueMap {
  const color = (value: 0 | 1) => (value === good ? "green" : "red");
  return words({ 1: { text: yes, color: color(1) }, 0: { text: no, color: color(0) } });
}

const coded = (family: string, states: readonly TargetState[], matchers: string): string =>
  states.map((state) => `${metric(family, `${matchers}state="${state}"`)} * ${STATES[state].code}`).join(" or ");

/** PromQL: a kit's state as its number, with the kit's labels. `matchers` ends in a comma, or is empty. */
export const kitStateCode = (matchers = ""): string =>
  `max by (kit) (${coded("gleaner_kit_state", KIT_STATES, matchers)})`;

/** PromQL: the state of a target that is no kit, as its number. */
export const targetStateCode = (matchers = ""): string =>
  `max by (target, plugin) (${coded("gleaner_target_state", PLUGIN_STATES, matchers)})`;
