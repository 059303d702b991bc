import { renameSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32, zstdDecompressSync } from "node:zlib";

/** What came out of a damaged file. */
export interface Salvaged {
  readonly records: readonly { readonly body: string; readonly rows: number; readonly at: number }[];
  /** Records that are known to have been there and could not be read. */
  readonly lostRecords: number;
  /** Rows of those of them whose count could still be read. */
  readonly lostRows: number;
}

/** Ids tried below the highest when the lowest cannot be read any more. */
const LOOK_BACK = 200_000;
const NOTHING: Salvaged = { records: [], lostRecords: 0, lostRows: 0 };

/** Moves a file and what SQLite keeps beside it out of the way, and returns its new path. */
export function moveAside(path: string, at: Date): string {
  const aside = `${path}.damaged-${at.toISOString().replaceAll(":", "-")}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (statSync(path + suffix, { throwIfNoEntry: false })) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}

/**
 * Reads what can still be read of a damaged spool, record by record: each is looked up on its own, so that a bad page
 * costs only the records on it.
 */
export function salvage(path: string): Salvaged {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    try {
      return readAll(database);
    } finally {
      database.close();
    }
  } catch {
    return NOTHING;
  }
}

function readAll(database: DatabaseSync): Salvaged {
  const number = (sql: string): number | undefined => {
    try {
      const value = Object.values(database.prepare(sql).get() ?? {})[0];
      return typeof value === "number" ? value : undefined;
    } catch {
      return undefined;
    }
  };
  const last =
    number("select seq from sqlite_sequence where name = 'records'") ?? number("select max(id) from records") ?? 0;
  const first = number("select min(id) from records") ?? Math.max(1, last - LOOK_BACK);
  const one = database.prepare("select at, rows, crc, body from records where id = ?");
  const records: Salvaged["records"][number][] = [];
  let lostRecords = 0;
  let lostRows = 0;
  for (let id = first; id <= last; id++) {
    const record = readOne(() => one.get(id));
    if (record === "missing") continue;
    if ("body" in record) records.push(record);
    else {
      lostRecords += 1;
      lostRows += record.rows;
    }
  }
  return { records, lostRecords, lostRows };
}

function readOne(
  get: () => Record<string, unknown> | undefined,
): "missing" | { body: string; rows: number; at: number } | { rows: number } {
  let rows = 0;
  try {
    const raw = get();
    if (!raw) return "missing";
    rows = Number(raw["rows"]);
    const packed = raw["body"] as Uint8Array;
    if (crc32(packed) !== Number(raw["crc"])) return { rows };
    return { body: zstdDecompressSync(packed).toString(), rows, at: Number(raw["at"]) };
  } catch {
    return { rows };
  }
}
