import { entryKey, type LedgerEntry } from "../../../src/demo/ledger.ts";
import { type Fields, ms, type Reader } from "../../support/rows.ts";

/** What became of the rows that kits sent whole. */
export interface Kept {
  readonly offered: number;
  /** Rows of kits in the database. */
  readonly stored: number;
  /** The rows offered that are not in the database. */
  readonly missing: readonly string[];
  readonly duplicates: number;
  /** Rows in the database that were never completely sent: a kit that was cut off just after its last byte. */
  readonly extra: number;
}

const COLUMNS = { drones: "drone_id", signals: "freq_mhz, uid", system_health: "lat" } as const;

/** The same key for a row as served and as stored; the database has whole milliseconds. */
const servedKey = (entry: LedgerEntry) => entryKey({ ...entry, time: Math.trunc(entry.time * 1_000) });
const storedKey = (table: string) => (row: Fields) =>
  [row["kit_id"], table, ms(row["time"]), row["drone_id"] ?? "", row["freq_mhz"] ?? "", row["uid"] ?? ""].join("|");

/** Compares the ledger of simulated kits with a database, row by row. */
export async function kept(ledger: readonly LedgerEntry[], db: Reader): Promise<Kept> {
  const offered = new Set(ledger.map(servedKey));
  const rows: string[] = [];
  for (const [table, columns] of Object.entries(COLUMNS))
    rows.push(...(await db.query(`select kit_id, time, ${columns} from ${table}`)).map(storedKey(table)));
  const stored = new Set(rows);
  return {
    offered: offered.size,
    stored: stored.size,
    missing: [...offered].filter((key) => !stored.has(key)),
    duplicates: rows.length - stored.size,
    extra: [...stored].filter((key) => !offered.has(key)).length,
  };
}
