import type { DatabaseSync } from "node:sqlite";

/**
 * Records of the spool that are in the database and are kept for a while all the same: a standby that takes over may not
 * have got the last commits. They are always the oldest of the file, because records are written in their order.
 */
export interface KeptRecords {
  /** The last id that is kept; records above it wait. 0 when none is. */
  upTo(): number;
  /** Compressed bytes of those kept. */
  bytes(): number;
  keep(ids: readonly number[], at: number): void;
  /** Forgets those that were kept since before this time (epoch ms), a number of them at a time. */
  expire(before: number): void;
  /**
   * Notes which history the database has. When it is another one than before, all that is kept waits again.
   * @returns whether that is so
   */
  follow(history: string): boolean;
}

const SCHEMA = `
  create table if not exists kept (id integer primary key, at integer not null) strict;
  create table if not exists facts (name text primary key, value text not null) strict, without rowid`;

/** Records looked at each time some expire: a few more than come in the meantime. */
const EXPIRED_AT_ONCE = 256;

const numberIn = (row: Readonly<Record<string, unknown>> | undefined) => Number(Object.values(row ?? {})[0] ?? 0);

/** The kept records of an open spool. All but `upTo` and `bytes` are to be called within a transaction. */
export function keptRecords(database: DatabaseSync): KeptRecords {
  database.exec(SCHEMA);
  const keep = database.prepare("insert or ignore into kept (id, at) values (?, ?)");
  const last = database.prepare("select max(id) from kept");
  const lengths = database.prepare(
    "select sum(length(body)) from records where id <= ? and id > ? and id in (select id from kept)",
  );
  const expired = database.prepare(
    `select max(id) from (select id, at from kept order by id limit ${EXPIRED_AT_ONCE}) where at < ?`,
  );
  const erase = ["records", "kept"].map((table) => database.prepare(`delete from ${table} where id <= ?`));
  const fact = database.prepare("select value from facts where name = 'history'");
  const note = database.prepare("insert or replace into facts (name, value) values ('history', ?)");
  let upTo = numberIn(last.get());
  let bytes = numberIn(lengths.get(upTo, 0));

  return {
    upTo: () => upTo,
    bytes: () => bytes,
    keep(ids, at) {
      const before = upTo;
      for (const id of ids) {
        keep.run(id, at);
        upTo = Math.max(upTo, id);
      }
      bytes += numberIn(lengths.get(upTo, before));
    },
    expire(before) {
      const until = numberIn(expired.get(before));
      if (until === 0) return;
      bytes -= numberIn(lengths.get(until, 0));
      for (const statement of erase) statement.run(until);
      upTo = numberIn(last.get());
    },
    follow(history) {
      const known = fact.get()?.["value"];
      if (known === history) return false;
      note.run(history);
      if (known === undefined || upTo === 0) return false;
      database.exec("delete from kept");
      [upTo, bytes] = [0, 0];
      return true;
    },
  };
}
