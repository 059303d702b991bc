/** What a dashboard is looked at through: a time range, and how wide the panel is. */
export interface View {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** How often Prometheus scrapes (ms): the data source's `timeInterval`. */
  readonly scrape: number;
  /** Points as fine as the data, also where a panel wants fewer. */
  readonly finest?: boolean;
}

/** Pixels of a panel that takes all 24 columns; a panel asks for as many points. */
export const FULL_WIDTH = 1_920;

/** Steps that Grafana rounds an interval to (ms), with the value up to which each is taken (rangeUtil.roundInterval). */
const ROUND: readonly (readonly [limit: number, interval: number])[] = [
  ...([
    [10, 1],
    [15, 10],
    [35, 20],
    [75, 50],
    [150, 100],
    [350, 200],
    [750, 500],
    [1_500, 1_000],
    [3_500, 2_000],
  ] as const),
  ...([
    [7_500, 5_000],
    [12_500, 10_000],
    [17_500, 15_000],
    [25_000, 20_000],
    [45_000, 30_000],
    [90_000, 60_000],
  ] as const),
  ...([
    [210_000, 120_000],
    [450_000, 300_000],
    [750_000, 600_000],
    [1_050_000, 900_000],
    [1_500_000, 1_200_000],
  ] as const),
  ...([
    [2_700_000, 1_800_000],
    [5_400_000, 3_600_000],
    [9_000_000, 7_200_000],
    [16_200_000, 10_800_000],
  ] as const),
  ...([
    [32_400_000, 21_600_000],
    [86_400_000, 43_200_000],
    [604_800_000, 86_400_000],
  ] as const),
];

/** `$__interval` of a panel (ms): the range by its points, rounded, and not finer than the data, or than the panel wants (`least`). */
export function intervalOf({ from, to, scrape }: View, points: number, least = scrape): number {
  const exact = (to - from) / points;
  const rounded = ROUND.find(([limit]) => exact < limit)?.[1] ?? 604_800_000;
  return Math.max(rounded, least);
}

/** `$__rate_interval`: at least four scrapes, so that a rate has two samples even when one is missed (Prometheus data source). */
export const rateIntervalOf = ({ scrape }: View, interval: number): number => Math.max(interval + scrape, 4 * scrape);

/** A duration as Grafana writes it: whole units, the largest that fits. */
export function durationText(ms: number): string {
  for (const [unit, width] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const)
    if (ms >= width && ms % width === 0) return `${ms / width}${unit}`;
  return `${ms}ms`;
}
