import type { TargetState } from "../../model/health.ts";
import type { TargetView } from "../app/overview.ts";
import { type Html, html, trusted } from "./html.ts";

/** How a state looks. Each tone has a shape of its own, and the word always stands beside it: colour is never alone. */
export type Tone = "bad" | "warn" | "wait" | "good";

const TONES: Readonly<Record<TargetState, Tone>> = {
  failing: "bad",
  offline: "bad",
  error: "bad",
  degraded: "warn",
  stale: "warn",
  unknown: "wait",
  healthy: "good",
  online: "good",
};

const SHAPES: Readonly<Record<Tone, Html>> = {
  bad: shape('<path d="M3 3l10 10M13 3L3 13"/>'),
  warn: shape('<path d="M8 2.5L14.5 13.5H1.5zM8 6.5v3.2M8 11.6v.1"/>'),
  wait: shape('<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 1.5"/>'),
  good: shape('<path d="M2.5 8.5l3.5 3.5 7.5-8"/>'),
};

function shape(path: string): Html {
  return trusted(`<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${path}</svg>`);
}

export function toneOf(state: TargetState): Tone {
  return TONES[state];
}

/** Shape and word of a tone or state. */
export function badge(tone: Tone, word: string): Html {
  return html`<span class="badge ${tone}">${SHAPES[tone]}${word}</span>`;
}

const ORDER: readonly Tone[] = ["bad", "warn", "wait", "good"];
const NATURAL = new Intl.Collator("en", { numeric: true });

/** Problems first, then by id: kit-2 before kit-10. */
export function problemsFirst<V extends TargetView>(views: readonly V[]): V[] {
  return views.toSorted(
    (a, b) => ORDER.indexOf(toneOf(a.state)) - ORDER.indexOf(toneOf(b.state)) || NATURAL.compare(a.id, b.id),
  );
}

/** Whether a target needs somebody to look at it. */
function isProblem(view: TargetView): boolean {
  const tone = toneOf(view.state);
  return tone === "bad" || tone === "warn";
}

/** How many targets there are of each tone; the worst tone present decides how a summary looks. */
export function tally(views: readonly TargetView[]): {
  readonly total: number;
  readonly problems: number;
  readonly waiting: number;
  readonly worst: Tone;
} {
  const tones = new Set(views.map((view) => toneOf(view.state)));
  return {
    total: views.length,
    problems: views.filter(isProblem).length,
    waiting: views.filter((view) => toneOf(view.state) === "wait").length,
    worst: ORDER.find((tone) => tones.has(tone)) ?? "good",
  };
}
