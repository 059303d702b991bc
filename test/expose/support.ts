import { encode } from "../../src/expose/encode.ts";
import type { ExposedFamily, Format } from "../../src/expose/format.ts";
import type { Family, Point } from "../../src/expose/types.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { identity } from "../support/sample-line.ts";
import { parseText } from "../support/text-format.ts";

export const gauge = (name: string, more: Partial<Family> = {}): Family => ({
  name,
  type: "gauge",
  help: `Help of ${name}.`,
  ...more,
});
export const counter = (name: string): Family => ({ name, type: "counter", help: `Help of ${name}.` });
export const point = (family: Family, labels: Record<string, string>, value: number): Point => ({
  family,
  labels,
  value,
});

/** Every series of an exposition and its value, read by the independent parsers. */
export function read(body: Buffer, format: Format): Map<string, number> {
  const families = format === "text" ? parseText(body) : parseOpenMetrics(body);
  return new Map(families.flatMap(({ samples }) => samples.map((sample) => [identity(sample), sample.value])));
}

/** Encodes families in text format and reads them back. */
export async function readBack(families: readonly ExposedFamily[]): Promise<Map<string, number>> {
  return read(await encode(families, "text"), "text");
}
