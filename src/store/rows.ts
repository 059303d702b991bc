import { type StoredCell, toCell, toKeyText } from "./cells.ts";
import { type ColumnType, ROW_TABLES, type RowTable, type RowTableName } from "./tables.ts";

/** A row in the order of its table's columns. */
export type StoredRow = readonly StoredCell[];

/** Rows of one table, ready to bind, each natural key once. */
export interface TableRows {
  readonly table: RowTableName;
  readonly rows: readonly StoredRow[];
}

/** What a row is made from, by column name; what is absent is null. */
export type RowSource = Readonly<Record<string, unknown>>;

/** A row table with its columns laid out, so that rows are plain arrays on the hot path. */
export interface Layout {
  readonly name: RowTableName;
  readonly columns: readonly string[];
  readonly types: readonly ColumnType[];
  /** Positions of the key columns, in the order of the key. */
  readonly key: readonly number[];
}

/** Layouts of all row tables. */
export const LAYOUTS: Readonly<Record<RowTableName, Layout>> = Object.fromEntries(
  Object.entries(ROW_TABLES).map(([name, table]) => [name, layOut(name as RowTableName, table)]),
) as Record<RowTableName, Layout>;

/** Collects rows of one write, table by table: coerced, without rows that lack a key, each key once (the first wins). */
export interface RowCollector {
  /** `defaults` stand in for what the source leaves out or null. */
  add(table: RowTableName, source: RowSource, defaults?: RowSource): void;
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
    add(table, source, defaults = NOTHING) {
      const row = toRow(LAYOUTS[table], source, defaults);
      const key = row && keyOf(LAYOUTS[table], row);
      if (row === undefined || key === undefined) return increment(rejected, table);
      const rows = kept.get(table) ?? new Map<string, StoredRow>();
      kept.set(table, rows);
      if (rows.has(key)) return increment(duplicate, table);
      rows.set(key, row);
    },
    tables: () => [...kept].map(([table, rows]) => ({ table, rows: [...rows.values()] })),
  };
}

/** Adds to a count, which starts at 0. */
export function increment(counts: Record<string, number>, name: string, by = 1): void {
  // A table may be named like a member of every object.
  counts[name] = (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0) + by;
}

const NOTHING: RowSource = {};

function toRow({ columns, types, key }: Layout, source: RowSource, defaults: RowSource): StoredRow | undefined {
  const row: StoredCell[] = [];
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as string;
    row.push(toCell(types[i] as ColumnType, source[column] ?? defaults[column]));
  }
  for (const i of key) {
    const cell = toKeyText(row[i] as StoredCell);
    if (cell === null) return undefined;
    row[i] = cell;
  }
  return row;
}

// Clean text holds no NUL, so it separates the parts of a key.
function keyOf(layout: Layout, row: StoredRow): string {
  return layout.key.map((i) => row[i]).join("\0");
}

function layOut(name: RowTableName, table: RowTable): Layout {
  const columns = Object.keys(table.columns);
  return {
    name,
    columns,
    types: Object.values(table.columns),
    key: table.key.map((column) => columns.indexOf(column)),
  };
}
