import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { keptRecords } from "./kept.ts";

/** A record as it comes back from the file. `body` is undefined when it is damaged. */
export interface SpooledRecord {
  readonly id: number;
  /** When it was taken (epoch ms). */
  readonly at: number;
  readonly rows: number;
  readonly body: string | undefined;
}

/** What waits in the file. */
export interface SpoolSize {
  readonly records: number;
  readonly rows: number;
  /** Compressed bytes of all bodies. */
  readonly bytes: number;
}

/**
 * The spool's SQLite file, open and locked. Every method throws SQLite's error. Records that are kept after they were
 * written (see KeptRecords) are not among those that are read, counted and dropped.
 */
export interface SpoolFile {
  /** Durable when it returns. @returns the record's id; ids rise. */
  append(body: string, rows: number, at: number): number;
  /** The oldest records above `after`, at least one if there is one, together at most about `maxRows` rows. */
  read(after: number, maxRows: number): SpooledRecord[];
  remove(ids: readonly number[]): void;
  /** Keeps records that are in the database now, and forgets those that have been there since `before` (both epoch ms). */
  keep(ids: readonly number[], now: number, before: number): void;
  /** Compressed bytes of what is kept. */
  keptBytes(): number;
  dropKept(): void;
  /** See KeptRecords. */
  follow(history: string): boolean;
  /** Takes the oldest records above `after` away until `bytes` are freed. @returns how many rows went, and the last id of them. */
  dropOldest(after: number, bytes: number): { rows: number; upTo: number };
  size(): SpoolSize;
  /** Bytes that the file can take without growing: pages whose records have gone. */
  spareBytes(): number;
  /** When the oldest record was taken (epoch ms), or null. */
  oldestAt(): number | null;
  /** Whether the file at the path is the one that is open: it can be removed under the process, and still be read. */
  isInPlace(): boolean;
  close(): void;
}

/** Raised by each change of the file's format; a file of a newer one is not touched. */
const FORMAT = 1;
/** A body this large unpacks to is refused: nothing of ours comes near it. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
/** SQLite's own default, which the spool leaves as it is. */
export const PAGE_BYTES = 4_096;
/** An empty file is made small again when it has grown beyond this. */
const SHRINK_BYTES = 16 * 1024 * 1024;

const SCHEMA = `
  create table if not exists records (
    id integer primary key autoincrement, at integer not null, rows integer not null, crc integer not null, body blob not null
  ) strict`;

/** The file was written by a newer gleaner. */
export class NewerSpool extends Error {}

/** The file contradicts itself in a way that SQLite does not see. */
export class DamagedSpool extends Error {}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0]);

function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
}

function configure(database: DatabaseSync): void {
  // The lock is held until the file is closed: a second collector on one spool would send everything twice.
  database.exec("pragma locking_mode = exclusive");
  // FULL: what was appended survives a power cut; NORMAL was measured to lose 900 to 2,200 records.
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  const version = pragma(database, "user_version");
  if (version > FORMAT) throw new NewerSpool(`format ${version}, this gleaner knows ${FORMAT}`);
  database.exec(`begin exclusive; ${SCHEMA}; pragma user_version = ${FORMAT}; commit`);
  const started = database.prepare("select 1 from sqlite_sequence where name = 'records'").get();
  // Ids never come twice, also when this file takes the place of a damaged one whose records are still on their way.
  if (!started)
    database.prepare("insert into sqlite_sequence (name, seq) values ('records', ?)").run(Date.now() * 1_000);
}

/** Rows of JSON become no smaller by the usual level 3, which takes half as long again and four times the memory. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const pack = (body: string): Buffer => zstdCompressSync(body, FAST);

/** What a body takes in the file, apart from what the file itself needs. */
export const packedBytes = (body: string): number => pack(body).length;

/** Opens the file, creates it where it is missing, and locks it. @throws SQLite's error, or NewerSpool */
export function openSpoolFile(path: string): SpoolFile {
  createPrivately(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    configure(database);
    const opened = placeOf(path);
    return spoolFileOn(database, () => placeOf(path) === opened);
  } catch (error) {
    database.close();
    throw error;
  }
}

function placeOf(path: string): string | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  return file && `${file.dev}:${file.ino}`;
}

function spoolFileOn(database: DatabaseSync, isInPlace: () => boolean): SpoolFile {
  const insert = database.prepare("insert into records (at, rows, crc, body) values (?, ?, ?, ?)");
  const select = database.prepare("select id, at, rows, crc, body from records where id > ? order by id limit 64");
  const erase = database.prepare("delete from records where id = ?");
  const oldest = database.prepare(
    "select id, rows, length(body) as bytes from records where id > ? order by id limit 1",
  );
  const first = database.prepare("select at from records where id > ? order by id limit 1");
  const all = database.prepare(
    "select count(*) as n, sum(rows) as rows, sum(length(body)) as bytes from records where id > ?",
  );
  const kept = keptRecords(database);
  const size = measure(all, kept.upTo());

  function discount({ records, rows, bytes }: SpoolSize): void {
    size.records -= records;
    size.rows -= rows;
    size.bytes -= bytes;
  }

  /** Ids that were read and not removed yet: that one of them cannot be removed means that the tree leads astray. */
  const given = new Set<number>();
  const lengthOf = database.prepare("select rows, length(body) as bytes from records where id = ? and id > ?");

  /** What those of these records come to that wait. */
  function sizeOf(ids: readonly number[]): SpoolSize {
    const found = ids.map((id) => lengthOf.get(id, kept.upTo())).filter((record) => record !== undefined);
    const sum = (column: string) => found.reduce((total, record) => total + Number(record[column]), 0);
    return { records: found.length, rows: sum("rows"), bytes: sum("bytes") };
  }

  return {
    isInPlace,
    append(body, rows, at) {
      const packed = pack(body);
      const id = Number(insert.run(at, rows, crc32(packed), packed).lastInsertRowid);
      size.records += 1;
      size.rows += rows;
      size.bytes += packed.length;
      return id;
    },
    read(after, maxRows) {
      const records: SpooledRecord[] = [];
      let rows = 0;
      let last = Math.max(after, kept.upTo());
      for (const raw of select.iterate(last)) {
        const record = unpack(raw);
        if (record.id <= last) throw new DamagedSpool("its records are out of order");
        last = record.id;
        if (records.length > 0 && rows + record.rows > maxRows) break;
        rows += record.rows;
        records.push(record);
      }
      if (records.length === 0 && after === 0 && size.records > 0)
        throw new DamagedSpool(`${size.records} of its records cannot be found`);
      for (const { id } of records) given.add(id);
      return records;
    },
    remove(ids) {
      const gone = inQuickTransaction(database, () => {
        const before = sizeOf(ids);
        for (const id of ids) {
          if (erase.run(id).changes === 0 && given.has(id)) throw new DamagedSpool("a record cannot be removed");
        }
        return before;
      });
      discount(gone);
      for (const id of ids) given.delete(id);
      if (size.records === 0 && kept.upTo() === 0) shrink(database);
    },
    keep(ids, now, before) {
      const written = inQuickTransaction(database, () => {
        const waited = sizeOf(ids);
        kept.keep(ids, now);
        kept.expire(before);
        return waited;
      });
      discount(written);
      for (const id of ids) given.delete(id);
    },
    keptBytes: () => kept.bytes(),
    dropKept() {
      while (kept.upTo() > 0) inTransaction(database, () => kept.expire(Number.MAX_SAFE_INTEGER));
    },
    follow: (history) =>
      inTransaction(database, () => {
        const isOther = kept.follow(history);
        if (isOther) Object.assign(size, measure(all, 0));
        return isOther;
      }),
    dropOldest(after, bytes) {
      let freed = 0;
      let rows = 0;
      let upTo = 0;
      inTransaction(database, () => {
        const from = Math.max(after, kept.upTo());
        for (let raw = oldest.get(from); raw && freed < bytes; raw = oldest.get(from)) {
          upTo = Number(raw["id"]);
          if (erase.run(upTo).changes === 0) throw new DamagedSpool("a record cannot be removed");
          discount({ records: 1, rows: Number(raw["rows"]), bytes: Number(raw["bytes"]) });
          freed += Number(raw["bytes"]);
          rows += Number(raw["rows"]);
        }
      });
      return { rows, upTo };
    },
    size: () => ({ ...size }),
    spareBytes: () => pragma(database, "freelist_count") * PAGE_BYTES,
    oldestAt: () => {
      const row = first.get(kept.upTo());
      return row ? Number(row["at"]) : null;
    },
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function measure(statement: StatementSync, after: number): { records: number; rows: number; bytes: number } {
  const row = statement.get(after) ?? {};
  return { records: Number(row["n"]), rows: Number(row["rows"] ?? 0), bytes: Number(row["bytes"] ?? 0) };
}

function unpack(raw: Readonly<Record<string, unknown>>): SpooledRecord {
  const packed = raw["body"];
  const record = { id: Number(raw["id"]), at: Number(raw["at"]), rows: Number(raw["rows"]) };
  // Where a page is torn SQLite can hand out a column that cannot be: null, though the schema forbids it.
  if (!(packed instanceof Uint8Array) || crc32(packed) !== Number(raw["crc"])) return { ...record, body: undefined };
  try {
    return { ...record, body: zstdDecompressSync(packed, { maxOutputLength: MAX_BODY_BYTES }).toString() };
  } catch {
    return { ...record, body: undefined };
  }
}

function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

/** A transaction that a power cut may undo: of records that are in the database, which takes each only once. It waits for no disk. */
function inQuickTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("pragma synchronous = normal");
  try {
    return inTransaction(database, work);
  } finally {
    database.exec("pragma synchronous = full");
  }
}

/** Gives the disk back what a long outage took. Vacuuming an empty file costs nothing. */
function shrink(database: DatabaseSync): void {
  if (pragma(database, "page_count") * PAGE_BYTES > SHRINK_BYTES)
    database.exec("vacuum; pragma wal_checkpoint(truncate)");
}
