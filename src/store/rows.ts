import { type Fit, fitOf, type StoredCell, toKeyText } from "./cells.ts";
import { type ColumnType, ROW_TABLES, type RowTable, type RowTableName } from "./tables.ts";

/** A row in the order of its table's columns. */
export type StoredRow = readonly StoredCell[];

/** Rows of one table, ready to bind, each natural key once. */
export interface TableRows {
  readonly table: RowTableName;
  readonly rows: readonly StoredRow[];
}

/** What a row is made from, by column name; what is absent is null, and what is no column is left out. */
export type RowSource = Readonly<Record<string, unknown>>;

/** A row table with its columns laid out, so that rows are plain arrays on the hot path. */
export interface Layout {
  readonly name: RowTableName;
  readonly columns: readonly string[];
  readonly types: readonly ColumnType[];
  /** Positions of the key columns, in the order of the key. */
  readonly key: readonly number[];
  readonly positions: ReadonlyMap<string, number>;
  /** How values are fitted to the columns. */
  readonly fits: readonly Fit[];
  /** A row of nulls. */
  readonly blank: readonly StoredCell[];
}

/** Layouts of all row tables. */
export const LAYOUTS: Readonly<Record<RowTableName, Layout>> = Object.fromEntries(
  Object.entries(ROW_TABLES).map(([name, table]) => [name, layOut(name as RowTableName, table)]),
) as Record<RowTableName, Layout>;

/** Collects rows of one write, table by table: coerced, without rows that lack a key, each key once (the first wins). */
export interface RowCollector {
  /** What a later source says goes before what an earlier one does, unless it is null. */
  add(table: RowTableName, ...sources: readonly RowSource[]): void;
  tables(): TableRows[];
  /** Rows left out because their key was there already, by table. */
  readonly duplicate: Readonly<Record<string, number>>;
  /** Rows left out because a key column was empty or unusable, by table. */
  readonly rejected: Readonly<Record<string, number>>;
}

/** An empty collector. */
export function collectRows(): RowCollector {
  const kept = new Map<RowTableName, Map<string, StoredRow>>();
  const duplicate: Record<string, number> = {};
  const rejected: Record<string, number> = {};
  return {
    duplicate,
    rejected,
    add(table, ...sources) {
      const layout = LAYOUTS[table];
      const row = toRow(layout, sources);
      if (!fitKey(layout, row)) return increment(rejected, table);
      const rows = kept.get(table) ?? new Map<string, StoredRow>();
      kept.set(table, rows);
      const key = keyOf(layout, row);
      if (rows.has(key)) return increment(duplicate, table);
      rows.set(key, row);
    },
    tables: () => [...kept].map(([table, rows]) => ({ table, rows: [...rows.values()] })),
  };
}

/**
 * Positions of the columns in which some row has a value. A kit fills a third of its table's, so statements name only these;
 * what they do not name is null.
 */
export function filledColumns(rows: readonly StoredRow[]): number[] {
  const isFilled: boolean[] = rows[0]?.map(() => false) ?? [];
  for (const row of rows) for (let i = 0; i < row.length; i++) if (row[i] !== null) isFilled[i] = true;
  return isFilled.flatMap((filled, i) => (filled ? [i] : []));
}

/** Adds to a count, which starts at 0. */
export function increment(counts: Record<string, number>, name: string, by = 1): void {
  // A table may be named like a member of every object.
  counts[name] = (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0) + by;
}

/**
 * Goes by what the sources have, and not by what the table could hold: for a kit's drones that is three times as much.
 * for … in takes half as long as Object.keys, and plain data inherits nothing.
 */
function toRow({ blank, positions, fits }: Layout, sources: readonly RowSource[]): StoredCell[] {
  const row = blank.slice();
  for (const source of sources)
    for (const column in source) {
      const position = positions.get(column);
      const value = source[column];
      if (position === undefined || value === null || value === undefined) continue;
      row[position] = (fits[position] as Fit)(value);
    }
  return row;
}

/** Bounds the text of the key. @returns whether the key is whole */
function fitKey({ key }: Layout, row: StoredCell[]): boolean {
  for (const i of key) {
    const cell = toKeyText(row[i] as StoredCell);
    if (cell === null) return false;
    row[i] = cell;
  }
  return true;
}

// Clean text holds no NUL, so it separates the parts of a key.
function keyOf(layout: Layout, row: StoredRow): string {
  let text = "";
  for (const i of layout.key) text += `${row[i]}\0`;
  return text;
}

function layOut(name: RowTableName, table: RowTable): Layout {
  const columns = Object.keys(table.columns);
  return {
    name,
    columns,
    types: Object.values(table.columns),
    key: table.key.map((column) => columns.indexOf(column)),
    positions: new Map(columns.map((column, i) => [column, i])),
    fits: Object.values(table.columns).map(fitOf),
    blank: columns.map(() => null),
  };
}
