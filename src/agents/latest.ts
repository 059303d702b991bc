import type { Sample } from "../model/sample.ts";

/** Label sets in any order of names, as one text. */
const keyOf = ({ metric, labels = {} }: Sample): string =>
  JSON.stringify([metric, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);

/** Of each series the last value by its time; those that tell none are as old as the report. For showing what is now. */
export function latestSamples(samples: readonly Sample[], reportedAt: Date): Sample[] {
  const last = new Map<string, Sample>();
  const timeOf = ({ at = reportedAt }: Sample) => at.getTime();
  for (const sample of samples) {
    const key = keyOf(sample);
    const known = last.get(key);
    if (!known || timeOf(sample) > timeOf(known)) last.set(key, sample);
  }
  return [...last.values()];
}

/** Series of one agent within WINDOW_MS; what a report adds beyond it is left out. */
const MAX_SERIES = 2_000;
const WINDOW_MS = 24 * 3_600_000;

/** Bounds what an agent that invents labels can make the database and /metrics hold. */
export interface SeriesCap {
  /** The samples whose series are known, or for which there is room. */
  admit(samples: readonly Sample[]): readonly Sample[];
}

/** @param now monotonic milliseconds */
export function createSeriesCap(now: () => number, max: number = MAX_SERIES): SeriesCap {
  // In the order in which they were last seen: a Map keeps the order of insertion.
  const seen = new Map<string, number>();
  const forgetOld = (at: number) => {
    for (const [key, last] of seen) {
      if (at - last <= WINDOW_MS) return;
      seen.delete(key);
    }
  };
  return {
    admit(samples) {
      const at = now();
      forgetOld(at);
      return samples.filter((sample) => {
        const key = keyOf(sample);
        if (!seen.delete(key) && seen.size >= max) return false;
        seen.set(key, at);
        return true;
      });
    },
  };
}
