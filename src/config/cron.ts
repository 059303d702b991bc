import { type Duration, days, hours, minutes, seconds } from "../model/duration.ts";

const MONTHS =
  "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december";
const DAYS = "sun|mon|tue|wed|thu|fri|sat|sunday|monday|tuesday|wednesday|thursday|friday|saturday";

/** The fields of a cron expression, finest first: allowed numbers, allowed names, and how long one step of it lasts. */
const FIELDS = [
  { min: 0, max: 59, names: "", step: seconds(1), wrap: minutes(1) },
  { min: 0, max: 59, names: "", step: minutes(1), wrap: hours(1) },
  { min: 0, max: 23, names: "", step: hours(1), wrap: days(1) },
  { min: 1, max: 31, names: "", step: days(1), wrap: days(31) },
  { min: 1, max: 12, names: MONTHS, step: days(31), wrap: days(366) },
  { min: 0, max: 7, names: DAYS, step: days(1), wrap: days(7) },
] as const;

type Field = (typeof FIELDS)[number];

/** Five fields (minute hour day month weekday) or six (with seconds first), or undefined when this is no cron expression. */
function fieldsOf(expression: string): readonly (readonly [Field, string])[] | undefined {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== 5 && texts.length !== 6) return undefined;
  const fields = FIELDS.slice(FIELDS.length - texts.length);
  return fields.map((field, index) => [field, texts[index] ?? ""] as const);
}

/** Whether this is a cron expression: `*`, numbers, names, ranges, lists and steps. */
export function isCron(expression: string): boolean {
  return fieldsOf(expression)?.every(([field, text]) => text.split(",").every((part) => isPart(part, field))) ?? false;
}

function isPart(part: string, { min, max, names }: Field): boolean {
  const match = /^(?:\*|([A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?)(?:\/(\d{1,3}))?$/.exec(part);
  if (!match) return false;
  const within = (text: string | undefined) =>
    text === undefined ||
    (/^\d{1,2}$/.test(text) && Number(text) >= min && Number(text) <= max) ||
    (names !== "" && names.split("|").includes(text.toLowerCase()));
  return within(match[1]) && within(match[2]) && match[3] !== "0";
}

/**
 * The longest time that can lie between two runs of a valid cron expression, rather too long than too short:
 * an hour for `5 * * * *`, a day for `0 8-17 * * *`. A target's data is stale after three times this.
 */
export function longestGap(expression: string): Duration {
  const restricted = (fieldsOf(expression) ?? []).filter(([, text]) => text !== "*");
  const gaps = restricted.map(([{ step, wrap }, text]) => {
    const every = /^\*\/(\d+)$/.exec(text);
    return every ? Math.min(step * Number(every[1]), wrap) : wrap;
  });
  return Math.max(minutes(1), ...gaps);
}
