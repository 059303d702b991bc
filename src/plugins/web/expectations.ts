import { z } from "zod";

/** Characters of an answer that are looked at: a pattern over megabytes would hold up everything else. */
const MAX_TEXT = 1024 * 1024;

const EXPECTED_STATUS = 'expected HTTP statuses such as 200, "2xx" or "200-299"';

/** Which statuses are well: numbers, classes, ranges; handed on as ranges. */
export const statuses = () =>
  z
    .array(
      z.union([z.int().min(100).max(599), z.string()], { error: EXPECTED_STATUS }).transform((given, context) => {
        const range = rangeOf(String(given));
        if (range !== undefined) return range;
        context.addIssue({ code: "custom", message: EXPECTED_STATUS });
        return z.NEVER;
      }),
    )
    .min(1)
    .max(20);

function rangeOf(text: string): readonly [number, number] | undefined {
  const kind = /^([1-5])xx$/i.exec(text)?.[1];
  if (kind !== undefined) return [Number(kind) * 100, Number(kind) * 100 + 99];
  const [, from, to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
  return from === undefined || Number(from) > Number(to) ? undefined : [Number(from), Number(to)];
}

/** A regular expression that is looked for anywhere in a text. */
export const pattern = () => z.string().min(1).max(1_000).refine(isPattern, { error: "expected a regular expression" });

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text, "m"));
  } catch {
    return false;
  }
}

export interface Expectations {
  readonly expected_status: readonly (readonly [number, number])[];
  readonly content?: string | undefined;
  readonly content_absent?: string | undefined;
}

/** Whether the status is one of the expected. */
export function isExpected(status: number, { expected_status }: Pick<Expectations, "expected_status">): boolean {
  return expected_status.some(([from, to]) => status >= from && status <= to);
}

/** Whether the text is as expected; undefined when nothing is expected of it. */
export function contentMatches(body: Buffer, { content, content_absent }: Expectations): boolean | undefined {
  if (content === undefined && content_absent === undefined) return undefined;
  const text = body.subarray(0, MAX_TEXT).toString("utf8");
  const has = (expression: string) => new RegExp(expression, "m").test(text);
  return (content === undefined || has(content)) && (content_absent === undefined || !has(content_absent));
}
