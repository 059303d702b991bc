import type { Family, Point } from "../../../src/expose/types.ts";

/** What the exposition benches show: one gauge with three labels, a hundred sensors a kit, values with all their digits. */
export const FAMILY: Family = { name: "bench_value", help: "A value.", type: "gauge" };
export const LABEL_NAMES = ["kit", "sensor", "site"] as const;
const PER_KIT = 100;

/** How many series have a new value in each round: all of them, or every tenth, in every kit. */
export type Share = "all" | "tenth";

export interface Reading {
  readonly labels: Record<(typeof LABEL_NAMES)[number], string>;
  readonly value: number;
}

function readingOf(i: number, round: number, share: Share): Reading {
  // With a tenth, each series has its turn in every tenth round.
  const changes = share === "all" ? round : Math.floor((round + (i % 10)) / 10);
  const kit = `kit-${String(Math.floor(i / PER_KIT)).padStart(4, "0")}`;
  return {
    labels: { kit, sensor: `sensor-${i}`, site: `site-${i % 7}` },
    value: Math.sin(i + changes * 0.618) * 1e6,
  };
}

/** Kit after kit of a fleet of n series, made when it is asked for: nobody holds more than what it keeps for itself. */
export function* kitsOf(n: number, round: number, share: Share): Generator<{ kit: string; readings: Reading[] }> {
  for (let from = 0; from < n; from += PER_KIT) {
    const size = Math.min(PER_KIT, n - from);
    const readings = Array.from({ length: size }, (_, i) => readingOf(from + i, round, share));
    yield { kit: (readings[0] as Reading).labels.kit, readings };
  }
}

export const pointsOf = (readings: readonly Reading[]): Point[] =>
  readings.map(({ labels, value }) => ({ family: FAMILY, labels, value }));
