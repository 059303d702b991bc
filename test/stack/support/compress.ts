import { promMs } from "../../../src/artefacts/durations.ts";

/** So many times faster than real alerts: what takes a minute with users takes a second here. */
export const FACTOR = 60;

/** No `for` is shorter than this (ms): a new Prometheus finds its targets only after 5 s, and until then gleaner seems to be down. */
const SHORTEST_FOR_MS = 8_000;

const faster = (duration: string): string => `${Math.round(promMs(duration) / FACTOR)}ms`;

/** An expression with its durations shortened: ranges in brackets, and offsets. */
export const fasterExpr = (expr: string): string =>
  expr
    .replaceAll(/\[((?:\d+(?:ms|[smhdwy]))+)\]/g, (_, duration: string) => `[${faster(duration)}]`)
    .replaceAll(/\boffset ((?:\d+(?:ms|[smhdwy]))+)/g, (_, duration: string) => `offset ${faster(duration)}`);

interface Rule {
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
}

const waiting = (duration: string): string =>
  promMs(duration) === 0 ? "0s" : `${Math.max(SHORTEST_FOR_MS, Math.round(promMs(duration) / FACTOR))}ms`;

/** A rule file as it is parsed. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

/** The same rules, FACTOR times faster, evaluated every second. Conditions and thresholds stay as they are. */
export function compressed({ groups }: RuleFile): RuleFile {
  return {
    groups: groups.map((group) => ({
      ...group,
      interval: "1s",
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: fasterExpr(rule.expr),
        ...(rule.for === undefined ? {} : { for: waiting(rule.for) }),
        ...(rule.keep_firing_for === undefined ? {} : { keep_firing_for: faster(rule.keep_firing_for) }),
      })),
    })),
  };
}
