import { between, unit } from "./random.ts";

/** How often a world tells something new. All times of the simulator are milliseconds of the kit's clock. */
export interface Pace {
  /** Every track is there all the time and has a new observation at every `tick`; otherwise as real kits do. */
  readonly fresh: boolean;
  /** Answers are built at most once per tick (ms). */
  readonly tick: number;
  /** Every observation stands at least so long before a newer one takes its place (ms); as real kits do when absent. */
  readonly lasting?: number;
}

/** One stay of something in a kit's range. */
export interface Stay {
  /** Number of this stay: the next one is another drone. */
  readonly n: number;
  readonly start: number;
  /** When it was last heard (ms): what the kit repeats until it forgets it. */
  readonly heard: number;
  /** Seconds from the start of the stay to `heard`. */
  readonly age: number;
  /** Length of the stay (s). */
  readonly length: number;
}

/** What distinguishes one slot's comings and goings from another's. */
export interface Habit {
  readonly seed: number;
  readonly kit: number;
  /** Sets drones, aircraft and signals apart, slot by slot. */
  readonly salt: number;
  /** Bounds of the length of a stay (s). */
  readonly stay: readonly [number, number];
  /** Bounds of the silence between two observations (s). */
  readonly every: readonly [number, number];
  /** How long the kit lists it after it was last heard (s). */
  readonly listed: number;
}

/** Silence after a stay beyond `listed`, as a share of the stay. */
const AWAY = 0.2;

/** The stay that a kit lists at `now`, or undefined while there is none. */
export function stayAt(habit: Habit, pace: Pace, now: number): Stay | undefined {
  const { seed, kit, salt } = habit;
  const length = Math.round(between(habit.stay[0], habit.stay[1], seed, kit, salt, 1));
  if (pace.fresh) return freshStay(length, between(0, pace.tick, seed, kit, salt, 2), pace, now);
  // The gap is longer than a track is listed, so that a slot never lists two.
  const period = Math.round((length * (1 + AWAY) + habit.listed) * 1000);
  const phase = Math.floor(unit(seed, kit, salt, 3) * period);
  const n = Math.floor((now - phase) / period);
  const start = n * period + phase;
  const told = Math.round(between(habit.every[0], habit.every[1], seed, kit, salt, 4) * 1000);
  const every = Math.max(told, pace.lasting ?? 0);
  const heard = start + Math.floor(Math.min(now - start, length * 1000) / every) * every;
  return now - heard < habit.listed * 1000 ? { n, start, heard, age: (heard - start) / 1000, length } : undefined;
}

function freshStay(length: number, lag: number, pace: Pace, now: number): Stay {
  // Each track has its own place within the tick, and none is ever in the future.
  const heard = Math.floor(now / pace.tick) * pace.tick - Math.floor(lag);
  return { n: 0, start: 0, heard, age: (heard / 1000) % length, length };
}

/**
 * Milliseconds to the epoch seconds a kit writes, with `micros` below the millisecond. Kept under 500, so that
 * rounding and truncating to milliseconds agree.
 */
export function epoch(ms: number, micros: number): number {
  return (ms * 1000 + micros) / 1e6;
}
