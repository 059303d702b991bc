import type { Alert } from "../../model/alert.ts";

/** How each way of writing a value is spelt in a language of templates; `plain` is `{value}`. */
type Formats = Readonly<Record<"plain" | "percent" | "duration" | "bytes", string>>;

/** The templates of the two that evaluate rules. Both know `$labels`. */
export const DIALECTS = {
  prometheus: {
    plain: "{{ $value | humanize }}",
    percent: "{{ $value | humanizePercentage }}",
    duration: "{{ $value | humanizeDuration }}",
    bytes: "{{ $value | humanize1024 }}B",
  },
  // A is the query; B, its comparison, is 0 or 1.
  grafana: {
    plain: "{{ humanize $values.A.Value }}",
    percent: "{{ humanizePercentage $values.A.Value }}",
    duration: "{{ humanizeDuration $values.A.Value }}",
    bytes: "{{ humanize1024 $values.A.Value }}B",
  },
} as const satisfies Readonly<Record<string, Formats>>;
export type Dialect = keyof typeof DIALECTS;

const PLACEHOLDER = /\{(\w+)(?::(\w+))?\}/g;

/** Spells `{kit}` and `{value:percent}` the way a dialect's templates do. */
export function templateIn(dialect: Dialect, text: string): string {
  const formats: Readonly<Record<string, string>> = DIALECTS[dialect];
  return text.replaceAll(PLACEHOLDER, (_, name: string, format?: string) =>
    name === "value" ? (formats[format ?? "plain"] ?? "") : `{{ $labels.${name} }}`,
  );
}

/** What is wrong with the placeholders of an alert's texts: a label the query does not give, a format nobody knows. */
export function placeholderFaults({ summary, description = "", labels }: Alert): string[] {
  return [...`${summary} ${description}`.matchAll(PLACEHOLDER)].flatMap(([all, name, format]) => {
    if (name === "value")
      return format === undefined || Object.hasOwn(DIALECTS.grafana, format) ? [] : [`${all}: no such format`];
    return name !== undefined && labels.includes(name) && format === undefined ? [] : [`${all}: no such label`];
  });
}
