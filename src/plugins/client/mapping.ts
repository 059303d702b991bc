import type { Sample } from "../../model/sample.ts";

type Labels = Readonly<Record<string, string>>;

/** Which metric a field of an answer becomes. `scale`: factor to the base unit (0.001 for milliseconds). */
export interface Mapping<M extends string> {
  readonly from: string;
  readonly to: M;
  readonly labels?: Labels;
  readonly scale?: number;
}

/** A number as servers send it: JSON's, a bigint, or text that is nothing but a decimal number. */
export function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === "number" || typeof value === "bigint"
      ? Number(value)
      : typeof value === "string" && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value.trim())
        ? Number(value)
        : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** Whether it is a JSON object, whose fields can be asked for. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The field at a dotted path: `mem.resident`. Undefined where there is none. */
export function fieldAt(record: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => {
    return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }, record);
}

/** The text, number or boolean at a dotted path as text, cut to so many characters; `unknown` where there is none. */
export function textAt(record: unknown, path: string, most = 128): string {
  const value = fieldAt(record, path);
  return ["string", "number", "boolean"].includes(typeof value) ? String(value).slice(0, most) : "unknown";
}

/** A sample for each mapping whose field is a number; versions of a server that lack one just bring fewer. */
export function samplesOf<M extends string>(
  record: unknown,
  mappings: readonly Mapping<M>[],
  labels?: Labels,
): Sample<M>[] {
  return mappings.flatMap(({ from, to, labels: own, scale = 1 }) => {
    const value = numberOf(isRecord(record) && Object.hasOwn(record, from) ? record[from] : fieldAt(record, from));
    return value === undefined ? [] : [sample(to, value * scale, labels || own ? { ...labels, ...own } : undefined)];
  });
}

/** A sample; without labels when there are none. */
export const sample = <M extends string>(metric: M, value: number, labels?: Labels): Sample<M> =>
  labels ? { metric, value, labels } : { metric, value };

/** For `derive`: one metric as a share of another. Nothing where that is no number: either is not there, or the whole is 0, which often is no limit. */
export function ratioOf<M extends string>(samples: readonly Sample<M>[], to: M, part: M, whole: M): Sample<M>[] {
  const of = (metric: M) => samples.find((one) => one.metric === metric)?.value ?? Number.NaN;
  const share = of(part) / of(whole);
  return Number.isFinite(share) ? [sample(to, share)] : [];
}
