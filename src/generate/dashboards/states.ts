import { MappingType, type ValueMap } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  COMPONENT_STATES,
  type ComponentState,
  KIT_STATES,
  PLUGIN_STATES,
  type TargetState,
} from "../../model/health.ts";
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

/** The same for components; `code` as of the worst of several. */
const COMPONENT_LOOKS: Readonly<Record<ComponentState, Look>> = {
  healthy: { code: 0, color: "green" },
  degraded: { code: 1, color: "yellow" },
  unhealthy: { code: 2, color: "orange" },
  critical: { code: 3, color: "red" },
};

/** The number of a component's state -> its word. */
export const COMPONENT_CODES = words(
  Object.fromEntries(Object.entries(COMPONENT_LOOKS).map(([text, { code, color }]) => [code, { text, color }])),
);

/** PromQL: the state of each component as its number. */
export const componentCode = (): string =>
  `max by (component) (${COMPONENT_STATES.map((state) => `${metric("gleaner_component_health", `state="${state}"`)} * ${COMPONENT_LOOKS[state].code}`).join(" or ")})`;

/** The word of a state, as the database has it -> the same with its colour. */
export const STATE_WORDS = words(
  Object.fromEntries(
    Object.entries({ ...STATES, ...COMPONENT_LOOKS }).map(([text, { color }]) => [text, { text, color }]),
  ),
);

/** Severities of changes of state. */
export const SEVERITY_WORDS = words({
  info: { text: "info", color: "blue" },
  warning: { text: "warning", color: "yellow" },
  error: { text: "error", color: "orange" },
  critical: { text: "critical", color: "red" },
});

/** What came of a run. */
export const OUTCOMES = {
  success: { text: "success", color: "green" },
  empty: { text: "empty", color: "blue" },
  failed: { text: "failed", color: "red" },
} as const;
export const OUTCOME_WORDS = words(OUTCOMES);

/** Two words for a value that is welcome and one that is not. */
export const goodBad = (good: readonly [string, string], bad: readonly [string, string]): ValueMap =>
  words({ [good[0]]: { text: good[1], color: "green" }, [bad[0]]: { text: bad[1], color: "red" } });

const coded = (family: string, states: readonly TargetState[], matchers: string): string =>
  states.map((state) => `${metric(family, `${matchers}state="${state}"`)} * ${STATES[state].code}`).join(" or ");

/** PromQL: a kit's state as its number, with the kit's labels. `matchers` ends in a comma, or is empty. */
export const kitStateCode = (matchers = ""): string =>
  `max by (kit) (${coded("gleaner_kit_state", KIT_STATES, matchers)})`;

/** PromQL: the state of a target that is no kit, as its number. */
export const targetStateCode = (matchers = ""): string =>
  `max by (target, plugin) (${coded("gleaner_target_state", PLUGIN_STATES, matchers)})`;

/**
 * PromQL: the worst state among a plugin's targets, kits included, by the label plugin. A kit's state does not say its
 * plugin; its runs do.
 */
export const stateOfPlugin = (): string => {
  const pluginOfKit = `label_replace(group by (target, plugin) (increase(${metric("gleaner_job_runs_total")}[$__range])), "kit", "$1", "target", "(.*)")`;
  const ofKits = `${kitStateCode()} * on (kit) group_right () ${pluginOfKit}`;
  return `max by (plugin) (${targetStateCode()}) or max by (plugin) (${ofKits})`;
};
