import type { Sample } from "../model/sample.ts";

type Labels = Readonly<Record<string, string>>;

/** Where a series' value stands in a row. */
export interface Column {
  /** Metric and labels in one text, as Prometheus writes them: `disk_used_bytes{mount="/"}`. */
  readonly series: string;
  readonly metric: string;
  readonly labels: Labels | undefined;
  /** Eight bytes instead of four. */
  readonly wide: boolean;
  /** Offset in the row, in bytes. */
  readonly at: number;
}

/** What a row of a buffer consists of. Jobs that bring the same series share one. */
export interface Layout {
  readonly columns: readonly Column[];
  readonly index: ReadonlyMap<string, number>;
  /** Bytes of a row. */
  readonly stride: number;
}

/** Four bytes of time, and four of duration and outcome. */
const HEAD_BYTES = 8;
/** Series of one job that are buffered; of what is over it only the count is known. */
export const MAX_COLUMNS = 500;
/** What a layout takes in memory besides its texts, for each column: measured. */
const COLUMN_OVERHEAD = 200;

export const EMPTY: Layout = { columns: [], index: new Map(), stride: HEAD_BYTES };

/** Fractions up to here keep seven digits in four bytes; whole numbers must be exact whatever their size. */
export const NARROW_FRACTION = { min: 1e-30, max: 65_536 };

/** Whether four bytes hold the value: whole numbers exactly, fractions to seven digits. */
export function isNarrow(value: number): boolean {
  if (Math.fround(value) === value) return true;
  const size = Math.abs(value);
  return !Number.isInteger(value) && size < NARROW_FRACTION.max && size > NARROW_FRACTION.min;
}

/** The text of a series; labels in the order of their names, so that equal labels are one series. */
export function seriesText({ metric, labels }: Pick<Sample, "metric" | "labels">): string {
  const pairs = Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0
    ? metric
    : `${metric}{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}}`;
}

function isOf(column: Column | undefined, { metric, labels }: Sample): boolean {
  if (column === undefined || column.metric !== metric) return false;
  if (column.labels === labels) return true;
  if (column.labels === undefined || labels === undefined) return false;
  // Without lists of names, for every sample passes here.
  for (const name in labels) if (labels[name] !== column.labels[name]) return false;
  for (const name in column.labels) if (labels[name] === undefined) return false;
  return true;
}

/**
 * The column of a sample, -1 when it has none.
 * @param hint where it stands when the series come in the order they came in before, as they mostly do
 */
export function columnOf({ columns, index }: Layout, sample: Sample, hint: number): number {
  return isOf(columns[hint], sample) ? hint : (index.get(seriesText(sample)) ?? -1);
}

/** Layouts by what they consist of, so that two thousand kits with the same series have one. */
export interface Layouts {
  /**
   * The layout for these samples besides the columns that are kept. Columns are never narrowed: a counter that outgrew four
   * bytes goes on growing.
   */
  extend(kept: readonly Column[], samples: readonly Sample[]): Layout;
  /** Drops the layouts that nobody uses any more. */
  prune(inUse: ReadonlySet<Layout>): void;
  /** What they take in memory, about. */
  bytes(): number;
}

export function createLayouts(): Layouts {
  const known = new Map<string, Layout>();
  let bytes = 0;

  return {
    extend(kept, samples) {
      const wanted = new Map(kept.map((column) => [column.series, column]));
      for (const sample of samples) {
        const series = seriesText(sample);
        const before = wanted.get(series);
        if (before === undefined && wanted.size >= MAX_COLUMNS) continue;
        const { metric, labels } = before ?? sample;
        wanted.set(series, { series, metric, labels, wide: before?.wide || !isNarrow(sample.value), at: 0 });
      }
      const key = [...wanted.values()].map(({ series, wide }) => `${series}${wide ? "\n8" : "\n4"}`).join("\n");
      const layout = known.get(key) ?? placed([...wanted.values()]);
      if (!known.has(key)) {
        known.set(key, layout);
        bytes += sizeOf(layout);
      }
      return layout;
    },
    prune(inUse) {
      for (const [key, layout] of known) {
        if (inUse.has(layout)) continue;
        known.delete(key);
        bytes -= sizeOf(layout);
      }
    },
    bytes: () => bytes,
  };
}

function placed(wanted: readonly Column[]): Layout {
  let stride = HEAD_BYTES;
  const columns = wanted.map((column) => {
    const at = stride;
    stride += column.wide ? 8 : 4;
    return { ...column, at };
  });
  return { columns, index: new Map(columns.map(({ series }, at) => [series, at])), stride };
}

const sizeOf = ({ columns }: Layout): number =>
  columns.reduce((sum, { series }) => sum + 2 * series.length + COLUMN_OVERHEAD, 0);
