import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { zstdDecompressSync } from "node:zlib";
import { entryKey, type LedgerEntry } from "../../../src/demo/ledger.ts";
import { decodeGroup } from "../../../src/store/taken.ts";
import { ms, type Reader } from "../../support/rows.ts";
import type { Figures } from "./fault.ts";
import { kept } from "./served.ts";

type Values = Readonly<Record<string, unknown>>;

/** What makes a row one row, beside kit, table and time. */
const PARTS: Readonly<Record<string, readonly (keyof LedgerEntry)[]>> = {
  drones: ["drone_id"],
  signals: ["freq_mhz", "uid"],
};

function keyOf(kit: unknown, table: string, time: unknown, row: Values): string {
  const parts = Object.fromEntries((PARTS[table] ?? []).map((column) => [column, row[column]]));
  return entryKey({ kit, table, time: ms(time), ...parts } as LedgerEntry);
}

/** Keys of the rows of kits that still wait in a spool; nobody may have it open. */
export function spooledKeys(file: string): Set<string> {
  if (!existsSync(file)) return new Set();
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const groups = database
      .prepare("select body from records where id not in (select id from kept)")
      .all()
      .map(({ body }) => decodeGroup(zstdDecompressSync(body as Uint8Array).toString()));
    const batches = groups.flatMap((group) => group?.batches ?? []);
    return new Set(
      batches.flatMap(({ targetId, rows }) =>
        rows.map(({ table, at, values }) => keyOf(targetId, table, new Date(at), values)),
      ),
    );
  } finally {
    database.close();
  }
}

/** Keys of the rows of kits that the database refused. */
export async function refusedKeys(db: Reader): Promise<Set<string>> {
  const letters = await db.query("select table_name, row_json from dead_letters");
  return new Set(
    letters.map(({ table_name, row_json }) => {
      const row = (typeof row_json === "string" ? JSON.parse(row_json) : row_json) as Values;
      return keyOf(row["kit_id"], String(table_name), row["time"], row);
    }),
  );
}

/** The keys of rows of kits that a database holds, as they are in a ledger too. */
export async function storedKeys(query: Reader["query"]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const table of ["drones", "signals", "system_health"])
    for (const row of await query(`select * from ${table}`)) keys.add(keyOf(row["kit_id"], table, row["time"], row));
  return keys;
}

const ledgerKey = (entry: LedgerEntry) => entryKey({ ...entry, time: Math.trunc(entry.time * 1_000) });

/**
 * offered − stored − refused − spooled, row by row, after a run. `spool` is the file of a gleaner that has ended; `gone`
 * are rows that were stored and that somebody took away, which are left out of all figures.
 */
export async function weigh(
  ledger: readonly LedgerEntry[],
  db: Reader,
  { spool, gone = new Set() }: { readonly spool?: string; readonly gone?: ReadonlySet<string> } = {},
): Promise<Required<Pick<Figures, "offered" | "stored" | "spooled" | "rejected" | "missing" | "duplicates">>> {
  const there = ledger.filter((entry) => !gone.has(ledgerKey(entry)));
  const { offered, stored, missing, duplicates } = await kept(there, db);
  const refused = await refusedKeys(db);
  const waiting = spool === undefined ? new Set<string>() : spooledKeys(spool);
  const lost = missing.filter((key) => !refused.has(key) && !waiting.has(key));
  return { offered, stored, spooled: waiting.size, rejected: refused.size, missing: lost.length, duplicates };
}
