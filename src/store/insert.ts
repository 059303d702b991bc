import { classify } from "./classify.ts";
import { type DeadLetter, deadLetterOf } from "./dead-letters.ts";
import type { Engine } from "./engines/engine.ts";
import type { StoredRow, TableRows } from "./rows.ts";

/** What an insert came to: rows that are new by table, and rows that the database will not have. */
export interface Inserted {
  readonly stored: Readonly<Record<string, number>>;
  readonly letters: readonly DeadLetter[];
}

/**
 * Inserts rows so that one the database refuses never costs another: when a write fails for what is in it, the bad rows
 * are found by halving, and handed back with the reason. Other failures are thrown; repeating is safe.
 */
export async function insertApart(engine: Engine, tables: readonly TableRows[]): Promise<Inserted> {
  try {
    return { stored: await engine.insertRows(tables), letters: [] };
  } catch (error) {
    if (classify(error) !== "data") throw error;
  }
  const stored: Record<string, number> = {};
  const letters: DeadLetter[] = [];
  for (const { table, rows } of tables) stored[table] = await insertHalves(engine, table, rows, letters);
  return { stored, letters };
}

async function insertHalves(
  engine: Engine,
  table: TableRows["table"],
  rows: readonly StoredRow[],
  letters: DeadLetter[],
): Promise<number> {
  if (rows.length === 0) return 0;
  try {
    return (await engine.insertRows([{ table, rows }]))[table] ?? 0;
  } catch (error) {
    if (classify(error) !== "data") throw error;
    const [only] = rows;
    if (rows.length === 1 && only) {
      letters.push(deadLetterOf(table, only, error));
      return 0;
    }
  }
  const middle = rows.length >> 1;
  const first = await insertHalves(engine, table, rows.slice(0, middle), letters);
  return first + (await insertHalves(engine, table, rows.slice(middle), letters));
}
