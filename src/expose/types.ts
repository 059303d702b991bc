/** A metric family as the exposition writes it. */
export interface Family {
  /** Full name; counters end in `_total`, in both formats. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** OpenMetrics UNIT; must be the suffix of the (base) name. */
  readonly unit?: string;
}

/** One series' current value. Label order is the order of the exposition. */
export interface Point {
  readonly family: Family;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The current state of everything collected, indexed by owner, served to scrapes and never read from the database.
 * An owner is a target's slot: `replace("kit-001", "drones", points)` swaps exactly what that slot had.
 */
export interface Snapshot {
  /** Atomically replaces all series of one slot of one owner. A series another slot owns already is dropped and counted. */
  replace(owner: string, slot: string, points: readonly Point[]): void;
  /** Drops one slot's series, as when its data went stale. */
  withdraw(owner: string, slot: string): void;
  /** Drops everything of an owner, as when a target leaves the configuration. */
  remove(owner: string): void;
  /** How many series are held, by one owner or in all. */
  size(owner?: string): number;
}
