/** A run that begins within this time of when it was due (s) is on time. A bucket of the histogram of lags. */
export const ON_TIME_SECONDS = 0.1;

/** The last minute is kept in slices, and read as the whole slices it covers and the one under way. */
const SLICES = 12;
const SLICE_MS = 5_000;

/** How punctual the runs of the last minute were. */
export interface Punctuality {
  /** A due run began, so late. */
  began(lagSeconds: number): void;
  /** Due runs that did not happen. */
  missed(count: number): void;
  /** `onTime` is the share of due runs that began on time, NaN when none was due; `maxLag` is in seconds. */
  read(): { readonly onTime: number; readonly maxLag: number };
}

interface Slice {
  /** Number of the stretch of time it is about; the slice is used again for another one a minute later. */
  number: number;
  due: number;
  onTime: number;
  maxLag: number;
}

/** Counts over a sliding minute. `now` is monotonic milliseconds. */
export function createPunctuality(now: () => number): Punctuality {
  const slices: Slice[] = Array.from({ length: SLICES }, () => ({ number: -1, due: 0, onTime: 0, maxLag: 0 }));
  const current = (): Slice => {
    const number = Math.floor(now() / SLICE_MS);
    const index = number % SLICES;
    const slice = slices[index];
    if (slice?.number === number) return slice;
    const fresh = { number, due: 0, onTime: 0, maxLag: 0 };
    slices[index] = fresh;
    return fresh;
  };
  return {
    began(lagSeconds) {
      const slice = current();
      slice.due++;
      if (lagSeconds <= ON_TIME_SECONDS) slice.onTime++;
      slice.maxLag = Math.max(slice.maxLag, lagSeconds);
    },
    missed(count) {
      current().due += count;
    },
    read() {
      const oldest = Math.floor(now() / SLICE_MS) - SLICES;
      const recent = slices.filter(({ number }) => number > oldest);
      const sum = (of: (slice: Slice) => number) => recent.reduce((total, slice) => total + of(slice), 0);
      return {
        onTime: sum(({ onTime }) => onTime) / sum(({ due }) => due),
        maxLag: Math.max(0, ...recent.map(({ maxLag }) => maxLag)),
      };
    },
  };
}
