import type { Gleaner } from "./process.ts";
import { parseText } from "./text-format.ts";

/** Values of an exposition, by series as it writes them: `gleaner_kit_up{kit="kit-001"}`. */
export type Series = ReadonlyMap<string, number>;

/** Reads /metrics in text format; throws when it is malformed. */
export async function scrape(gleaner: Pick<Gleaner, "get">, path = "/metrics"): Promise<Series> {
  const response = await gleaner.get(path);
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body}`);
  const samples = parseText(body).flatMap((family) => family.samples);
  return new Map(samples.map(({ name, labels, value }) => [`${name}${labelText(labels)}`, value]));
}

function labelText(labels: readonly (readonly [string, string])[]): string {
  return labels.length === 0 ? "" : `{${labels.map(([name, value]) => `${name}="${value}"`).join(",")}}`;
}

/** The series whose labels have this one. */
export function having(series: Series, label: string, value: string): Series {
  return new Map(
    [...series].filter(([id]) => id.includes(`{${label}="${value}"`) || id.includes(`,${label}="${value}"`)),
  );
}

/** The state a kit is shown in: the one of the five that is 1. */
export function kitState(series: Series, kit: string): string | undefined {
  const shown = [...having(series, "kit", kit)].filter(
    ([id, value]) => id.startsWith("gleaner_kit_state{") && value === 1,
  );
  return shown.length === 1 ? /state="([a-z]+)"/.exec(shown[0]?.[0] ?? "")?.[1] : undefined;
}
