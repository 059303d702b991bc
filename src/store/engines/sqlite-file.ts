import { closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A SQLite database that stays the one at its path: who removes the file, or puts a backup there, means the next write too. */
export interface SqliteFile {
  /** The open database. */
  current(): DatabaseSync;
  /** Opens what is at the path now, when that is another file than the open one. Between transactions only. @throws SQLite's error */
  refresh(): void;
  /** Tells the file that is open from others at the same path. */
  identity(): string;
  close(): void;
}

/** Waiting for another process's lock blocks this one, so it is short; the writer tries again. */
const BUSY_TIMEOUT = 5_000;
const BUSY_RETRY = 10;

/** Opens (and creates, readable by its owner only) a file, or `:memory:`. @throws SQLite's error */
export function openSqliteFile(path: string): SqliteFile {
  let open = openNow(path);
  return {
    current: () => open.database,
    refresh() {
      if (identityOf(path) === open.identity) return;
      const old = open.database;
      open = openNow(path);
      old.close();
    },
    identity: () => open.identity,
    close() {
      if (open.database.isOpen) open.database.close();
    },
  };
}

function openNow(path: string): { readonly database: DatabaseSync; readonly identity: string } {
  if (path !== ":memory:") createPrivately(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
  try {
    configure(database);
    return { database, identity: identityOf(path) };
  } catch (error) {
    database.close();
    throw error;
  }
}

function identityOf(path: string): string {
  const file = path === ":memory:" ? undefined : statSync(path, { throwIfNoEntry: false });
  return file ? `${file.dev}:${file.ino}` : "";
}

function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600));
}

/**
 * WAL with synchronous=FULL: what was committed survives a power cut; NORMAL was measured to lose seconds of rows.
 * Turning a new file to WAL does not wait for another process that is doing the same, so we do; blocking, as SQLite's own
 * waiting is.
 */
function configure(database: DatabaseSync): void {
  const patience = performance.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma temp_store = memory");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > patience) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_RETRY);
    }
  }
}

/** SQLITE_BUSY, whatever the extended code. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}
