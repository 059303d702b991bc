import { redactSecrets } from "../model/redact.ts";
import type { Engine } from "./engines/engine.ts";
import { fingerprint } from "./json.ts";
import { collectRows, LAYOUTS, type StoredRow } from "./rows.ts";
import { isRowTable, type RowTableName } from "./tables.ts";

/** A row that the database refused, with its reason. */
export interface DeadLetter {
  readonly table: RowTableName;
  readonly row: StoredRow;
  readonly reason: string;
}

/** A dead letter as it is kept. */
export interface KeptLetter {
  readonly id: string;
  readonly time: Date;
  readonly table: string;
  /** By column name; times are epoch milliseconds. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly reason: string;
}

/** Longest reason kept: PostgreSQL repeats the row in some of its messages. */
const MAX_REASON = 500;

export function deadLetterOf(table: RowTableName, row: StoredRow, error: unknown): DeadLetter {
  const message = error instanceof Error ? error.message : String(error);
  return { table, row, reason: redactSecrets(message).slice(0, MAX_REASON) };
}

function textOf({ table, row }: DeadLetter): string {
  const cells = LAYOUTS[table].columns.map((column, i) => [
    column,
    typeof row[i] === "bigint" ? String(row[i]) : row[i],
  ]);
  return JSON.stringify(Object.fromEntries(cells));
}

/** Keeps refused rows; the same row is kept once, however often it is replayed. */
export async function keepLetters(engine: Engine, letters: readonly DeadLetter[], now: Date): Promise<void> {
  if (letters.length === 0) return;
  const rows = collectRows();
  for (const letter of letters) {
    const text = textOf(letter);
    const id = fingerprint(`${letter.table}\0${text}`);
    rows.add("dead_letters", { id, time: now, table_name: letter.table, row_json: text, reason: letter.reason });
  }
  await engine.insertRows(rows.tables());
}

/** The newest dead letters. */
export async function listLetters({ db, capabilities }: Engine, limit: number): Promise<KeptLetter[]> {
  const rows = await db
    .selectFrom("dead_letters")
    .selectAll()
    .orderBy("time", "desc")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: String(row.id),
    time: new Date(row.time ?? 0),
    table: String(row.table_name),
    row: capabilities.parseJson(row.row_json) as Record<string, unknown>,
    reason: String(row.reason),
  }));
}

/** Takes dead letters away for good. @returns how many there were */
export async function dropLetters({ db }: Engine, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const { numDeletedRows } = await db.deleteFrom("dead_letters").where("id", "in", ids).executeTakeFirst();
  return Number(numDeletedRows);
}

/**
 * Tries to store a dead letter's row again, as after the database was mended, and takes the letter away when that went well.
 * @throws the database's error when it refuses the row still
 */
export async function retryLetter(engine: Engine, letter: KeptLetter): Promise<void> {
  if (!isRowTable(letter.table)) throw new Error(`there is no table ${letter.table} any more`);
  const rows = collectRows();
  rows.add(letter.table, letter.row);
  await engine.insertRows(rows.tables());
  await dropLetters(engine, [letter.id]);
}
