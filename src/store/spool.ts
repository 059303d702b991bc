import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { moveAside, salvage } from "./salvage.ts";
import {
  DamagedSpool,
  NewerSpool,
  openSpoolFile,
  packedBytes,
  type SpooledRecord,
  type SpoolFile,
  type SpoolSize,
} from "./spool-file.ts";

/** What to do with new rows when the spool has no room: give up the oldest, or take no more (polling pauses). */
export type WhenFull = "drop_oldest" | "block";

/** Why rows in the spool were lost; the label `reason` of gleaner_rows_dropped_total. */
export type SpoolLoss = "spool_full" | "spool_damaged";

export interface SpoolOptions {
  readonly path: string;
  /** Bound of the compressed bytes kept. */
  readonly maxBytes: number;
  /** The spool is full when the disk has less than this left. */
  readonly minFreeBytes: number;
  readonly whenFull: WhenFull;
  /** How long records are kept after they were written, to be written again when the database turns out to be another (ms; 0: not). */
  readonly keepFor?: number;
  readonly now: () => Date;
  /** Called for rows that are gone; `upTo` is the last id of records that were dropped to make room, 0 otherwise. */
  readonly onLost: (reason: SpoolLoss, rows: number, upTo: number) => void;
  /** The highest id that is on its way into the database: it and those before are not dropped to make room. */
  readonly inFlight: () => number;
  /** A sentence for the log: damage, and what became of it. */
  readonly onNote: (note: string) => void;
}

/**
 * The durable queue between collection and database. What `append` has taken survives kill -9 and power cuts.
 * A spool that is damaged or cannot be written never throws: it takes nothing, says why in `problem`, and recovers by itself.
 */
export interface Spool {
  /** @returns the record's id once it is on disk, or undefined when it cannot be taken now. */
  append(body: string, rows: number): number | undefined;
  /** The oldest records above `after`, about `maxRows` rows of them. */
  read(after: number, maxRows: number): readonly SpooledRecord[];
  /** Forgets records that are in the database, at once or after `keepFor`. @returns false when that cannot be done now. */
  done(ids: readonly number[]): boolean;
  /** Forgets records for good. */
  remove(ids: readonly number[]): void;
  /** Whether records are kept after they were written. */
  readonly keeps: boolean;
  /** Says which history of commits the database has. @returns whether everything kept waits again, because it is another */
  follow(history: string): boolean;
  /** What it holds; nothing while it cannot be opened. */
  size(): SpoolSize;
  /** When the oldest record was taken (epoch ms), or null. */
  oldestAt(): number | null;
  /** Why nothing can be appended, or undefined while it can. */
  problem(): string | undefined;
  close(): void;
}

const EMPTY: SpoolSize = { records: 0, rows: 0, bytes: 0 };

/** How long a file that could not be opened or written is left alone (ms). */
const RETRY_MS = 1_000;
/** The disk's free space, and whether the file is still in its place, are asked again after this long (ms): asking costs a system call. */
const LOOK_MS = 1_000;
/** Share of the bound that is freed at once, so that not every append has to. */
const FREE_SHARE = 0.02;
/** What a record needs in the file besides its body (bytes): pages begun, and those of the tree. */
const OVERHEAD_BYTES = 16 * 1024;

/** SQLite's result codes (https://sqlite.org/rescode.html), by what they ask for. */
const BUSY = 5;
const DAMAGED: ReadonlySet<number> = new Set([11, 24, 26]);

function resultCode(error: unknown): number {
  return typeof error === "object" && error !== null && "errcode" in error ? Number(error.errcode) & 0xff : 0;
}

/** A file that ends in the middle of a page: SQLITE_IOERR_SHORT_READ. */
const SHORT_READ = 522;

function isDamage(error: unknown): boolean {
  if (error instanceof NewerSpool || error instanceof DamagedSpool || DAMAGED.has(resultCode(error))) return true;
  return typeof error === "object" && error !== null && "errcode" in error && Number(error.errcode) === SHORT_READ;
}

/**
 * Opens the spool.
 * @throws {Error} only when another gleaner holds it; everything else is survived.
 */
export function openSpool(options: SpoolOptions): Spool {
  const { path, maxBytes, minFreeBytes, whenFull, keepFor = 0, now, onLost, onNote } = options;
  let file: SpoolFile | undefined;
  let trouble: string | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let free = { at: Number.NEGATIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  let lookedAt = Number.NEGATIVE_INFINITY;

  /** Puts a damaged file aside, starts a new one, and brings over what can be read. */
  function quarantine(error: unknown): void {
    const known = file?.size().rows ?? 0;
    file?.close();
    file = undefined;
    const aside = moveAside(path, now());
    const fresh = openSpoolFile(path);
    file = fresh;
    const { records, lostRecords, lostRows } =
      error instanceof NewerSpool ? { records: [], lostRecords: 0, lostRows: 0 } : salvage(aside);
    for (const record of records) fresh.append(record.body, record.rows, record.at);
    const saved = records.reduce((sum, { rows }) => sum + rows, 0);
    const lost = Math.max(lostRows, known - saved);
    if (lost > 0 && !(error instanceof NewerSpool)) onLost("spool_damaged", lost, 0);
    const what =
      error instanceof NewerSpool ? `is of a newer gleaner (${error.message})` : `is damaged (${messageOf(error)})`;
    onNote(
      `the spool ${what} and was kept as ${aside}; ${records.length} records were brought over, ${lostRecords} could not be read`,
    );
  }

  function open(): SpoolFile | undefined {
    // Apart in either direction: the clock may have been put back.
    if (file || Math.abs(now().getTime() - failedAt) < RETRY_MS) return file;
    try {
      try {
        file = openSpoolFile(path);
      } catch (error) {
        if (!isDamage(error)) throw error;
        quarantine(error);
      }
      if (keepFor === 0) file?.dropKept();
      trouble = undefined;
    } catch (error) {
      if (resultCode(error) === BUSY)
        throw new Error(`another gleaner runs on the spool ${path}; give each its own data_dir (GLEANER_DATA_DIR)`);
      failed(error);
    }
    return file;
  }

  function failed(error: unknown): void {
    trouble = messageOf(error);
    failedAt = now().getTime();
    file?.close();
    file = undefined;
  }

  /** When somebody has removed the file, everything is brought over into a new one: while it is open it can be read. */
  function stayInPlace(current: SpoolFile): SpoolFile {
    const at = now().getTime();
    if (Math.abs(at - lookedAt) < LOOK_MS) return current;
    lookedAt = at;
    if (current.isInPlace()) return current;
    const fresh = openSpoolFile(path);
    file = fresh;
    for (let last = 0; ; ) {
      const records = current.read(last, Number.POSITIVE_INFINITY);
      for (const record of records) if (record.body !== undefined) fresh.append(record.body, record.rows, record.at);
      if (records.length === 0) break;
      last = records.at(-1)?.id ?? last;
    }
    current.close();
    onNote(
      `the spool ${path} was removed while it was in use; ${fresh.size().rows} rows were brought over into a new one`,
    );
    return fresh;
  }

  /** Runs something on the file; damage is quarantined and the work tried once more on the new one. */
  function on<T>(work: (file: SpoolFile) => T, otherwise: T): T {
    for (let attempt = 0; ; attempt++) {
      const current = open();
      if (!current) return otherwise;
      try {
        return work(stayInPlace(current));
      } catch (error) {
        try {
          if (!isDamage(error) || attempt > 0) throw error;
          quarantine(error);
        } catch (inner) {
          failed(inner);
          return otherwise;
        }
      }
    }
  }

  function freeBytes(): number {
    const at = now().getTime();
    if (Math.abs(at - free.at) < LOOK_MS) return free.bytes;
    try {
      const { bavail, bsize } = statfsSync(dirname(path));
      free = { at, bytes: bavail * bsize };
    } catch {
      free = { at, bytes: Number.POSITIVE_INFINITY };
    }
    return free.bytes;
  }

  const isBeyondBound = (current: SpoolFile) => current.size().bytes + current.keptBytes() >= maxBytes;

  /**
   * What a record lacks on a disk that is short of space (bytes): there the file must not grow, and uses the pages of
   * records that have gone.
   */
  function lackingBytes(current: SpoolFile, body: string): number {
    return freeBytes() < minFreeBytes ? packedBytes(body) + OVERHEAD_BYTES - current.spareBytes() : 0;
  }

  /** Makes room for a record, or says that there is none. */
  function hasRoom(current: SpoolFile, body: string): boolean {
    const isBeyond = isBeyondBound(current);
    const lacking = isBeyond ? 0 : lackingBytes(current, body);
    if (!isBeyond && lacking <= 0) return true;
    if (current.keptBytes() > 0) {
      // What is in the database already goes before anything that is not.
      current.dropKept();
      return true;
    }
    const size = current.size();
    if (whenFull === "block" || size.records === 0) return false;
    const room = isBeyond ? Math.max(1, size.bytes - maxBytes, maxBytes * FREE_SHARE) : lacking;
    const { rows, upTo } = current.dropOldest(options.inFlight(), room);
    if (rows === 0) return false;
    onLost("spool_full", rows, upTo);
    return true;
  }

  open();
  return {
    append: (body, rows) =>
      on((current) => {
        if (!hasRoom(current, body)) {
          trouble = "the spool is full";
          return undefined;
        }
        trouble = undefined;
        return current.append(body, rows, now().getTime());
      }, undefined),
    read: (after, maxRows) => on((current) => current.read(after, maxRows), []),
    done: (ids) =>
      on((current) => {
        const at = now().getTime();
        if (keepFor > 0) current.keep(ids, at, at - keepFor);
        else current.remove(ids);
        return true;
      }, false),
    remove: (ids) => on((current) => current.remove(ids), undefined),
    keeps: keepFor > 0,
    follow: (history) => on((current) => current.follow(history), false),
    size: () => file?.size() ?? EMPTY,
    oldestAt: () => on((current) => current.oldestAt(), null),
    problem: () => trouble,
    close: () => file?.close(),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
