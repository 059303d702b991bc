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

/** A record as it was found, or what is known of one that is no longer what was written. */
type Found =
  | { readonly id: number; readonly rows: number; readonly at: number; readonly body: string }
  | { readonly id: number; readonly rows: number };

function readAll(database: DatabaseSync): Salvaged {
  const found = new Map<number, Found>();
  const unreachable = scan(database, found) ? 0 : seek(database, found);
  const all = [...found.values()].sort((a, b) => a.id - b.id);
  const records = all.filter((record) => "body" in record);
  const lost = all.filter((record) => !("body" in record));
  return {
    records,
    lostRecords: lost.length + unreachable,
    lostRows: lost.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** From the first leaf to the last, whatever ids lead there. @returns whether that went through */
function scan(database: DatabaseSync, found: Map<number, Found>): boolean {
  try {
    for (const raw of database.prepare("select id, at, rows, crc, body from records").iterate()) note(found, raw);
    return true;
  } catch {
    return false;
  }
}

/** By id, around the pages that cannot be read. @returns how many lookups met one */
function seek(database: DatabaseSync, found: Map<number, Found>): number {
  const last =
    number(database, "select seq from sqlite_sequence where name = 'records'") ??
    number(database, "select max(id) from records") ??
    0;
  const first = number(database, "select min(id) from records") ?? Math.max(1, last - LOOK_BACK);
  const next = database.prepare("select id, at, rows, crc, body from records where id >= ? order by id limit 1");
  let failures = 0;
  for (let id = first; id <= last; ) {
    let at = id;
    try {
      const raw = next.get(id);
      if (!raw) break;
      at = Math.max(id, note(found, raw));
    } catch {
      failures += 1;
    }
    // Behind a bad page it goes on one by one, and when that takes too long by leaps: the ids of a bad file may be anything.
    id = at + (failures > LOOK_BACK ? 2 ** Math.min(50, failures - LOOK_BACK) : 1);
  }
  return failures;
}

function number(database: DatabaseSync, sql: string): number | undefined {
  try {
    const value = Object.values(database.prepare(sql).get() ?? {})[0];
    return typeof value === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Notes a record, whole where it can be. @returns its id */
function note(found: Map<number, Found>, raw: Readonly<Record<string, unknown>>): number {
  const [id, rows, at] = [Number(raw["id"]), Number(raw["rows"]), Number(raw["at"])];
  const body = bodyOf(raw);
  found.set(id, body === undefined ? { id, rows } : { id, rows, at, body });
  return id;
}

function bodyOf({ body: packed, crc }: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return packed instanceof Uint8Array && crc32(packed) === Number(crc)
      ? zstdDecompressSync(packed).toString()
      : undefined;
  } catch {
    return undefined;
  }
}
