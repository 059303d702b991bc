import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32, zstdDecompressSync } from "node:zlib";
import { openSpoolFile, PAGE_BYTES } from "./spool-file.ts";

/** What came out of a damaged file. */
export interface Salvaged {
  readonly records: readonly { readonly body: string; readonly rows: number; readonly at: number }[];
  /** Records that are known to have been there and could not be read. */
  readonly lostRecords: number;
  /** Rows of those of them whose count could still be read. */
  readonly lostRows: number;
}

/** Ids tried below the highest when the lowest cannot be read any more, and one by one behind bad pages. */
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
 * costs only the records on it. All others are reached by the first page; where it is bad, that of a new spool does.
 */
export function salvage(path: string): Salvaged {
  const found = salvaged(() => readFile(path));
  if (found.lostRecords === 0 && found.records.length > 0) return found;
  const more = salvaged(() => withFirstPage(path));
  return more.records.length > found.records.length ? more : found;
}

function salvaged(work: () => Salvaged): Salvaged {
  try {
    return work();
  } catch {
    return NOTHING;
  }
}

function readFile(path: string): Salvaged {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    return readAll(database);
  } finally {
    database.close();
  }
}

/** Where a header says whether its count of pages is to be believed (https://sqlite.org/fileformat2.html). */
const VERSION_VALID_FOR = 92;

/** Reads a copy with the first page of a new spool: nothing in it differs from spool to spool but the count of pages. */
function withFirstPage(path: string): Salvaged {
  const [fresh, copy] = [`${path}-new`, `${path}-mended`];
  try {
    openSpoolFile(fresh).close();
    const page = readFileSync(fresh);
    // Not to be believed: then SQLite goes by the file's length.
    page.fill(0, VERSION_VALID_FOR, VERSION_VALID_FOR + 4);
    copyFileSync(path, copy);
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
    const file = openSync(copy, "r+");
    writeSync(file, page, 0, PAGE_BYTES, 0);
    closeSync(file);
    return readFile(copy);
  } finally {
    for (const name of [fresh, copy]) for (const suffix of ["", "-wal", "-shm"]) rmSync(name + suffix, { force: true });
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
  const next = database.prepare("select id, at, rows, crc, body from records where id >= ? order by id limit 1");
  const records: Salvaged["records"][number][] = [];
  let lostRecords = 0;
  let lostRows = 0;
  let failures = 0;
  for (let id = first; id <= last; ) {
    const found = readOne(() => next.get(id));
    if (found === "none") break;
    if ("body" in found) records.push(found);
    else {
      lostRecords += 1;
      lostRows += found.rows;
    }
    // Behind a bad page it goes on one by one, and when that takes too long by leaps: the ids of a bad file may be anything.
    if (found.id === undefined) failures += 1;
    id = Math.max(id, found.id ?? id) + (failures > LOOK_BACK ? 2 ** Math.min(50, failures - LOOK_BACK) : 1);
  }
  return { records, lostRecords, lostRows };
}

/** The next record, what is known of a bad one, or that there is none; without an id it could not be reached. */
function readOne(
  get: () => Record<string, unknown> | undefined,
):
  | "none"
  | { readonly id: number; readonly body: string; readonly rows: number; readonly at: number }
  | { readonly id?: number; readonly rows: number } {
  let known: { readonly id?: number; readonly rows: number } = { rows: 0 };
  try {
    const raw = get();
    if (!raw) return "none";
    const { id, rows, at } = { id: Number(raw["id"]), rows: Number(raw["rows"]), at: Number(raw["at"]) };
    known = { id, rows };
    const packed = raw["body"] as Uint8Array;
    if (crc32(packed) !== Number(raw["crc"])) return known;
    return { id, rows, at, body: zstdDecompressSync(packed).toString() };
  } catch {
    return known;
  }
}
