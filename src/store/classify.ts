/**
 * What an error of the database asks for. retry: the same write may go well later. data: some row cannot be stored, the
 * rest can. stop: nothing will go well until somebody changes something; go on trying, but seldom.
 */
export type Verdict = "retry" | "data" | "stop";

/**
 * By SQLSTATE class (https://www.postgresql.org/docs/current/errcodes-appendix.html), unless the code itself is listed.
 * What is not listed is tried again: a row is never given up for an error we do not know.
 */
const BY_CODE: Readonly<Record<string, Verdict>> = {
  "25006": "retry", // read_only_sql_transaction: a standby, or a failover under way
  "0A000": "retry", // cached plan must not change result type: planned anew next time
  "23503": "retry", // foreign_key_violation: the series went; it is created again
  "23505": "retry", // unique_violation on a path without ON CONFLICT
  "42P01": "stop", // undefined_table
};
const BY_CLASS: Readonly<Record<string, Verdict>> = {
  "08": "retry", // connection exceptions
  "22": "data", // data exceptions
  "23": "data", // integrity constraint violations
  "28": "stop", // invalid authorization
  "3D": "stop", // invalid catalog name: the database is gone
  "3F": "stop", // invalid schema name
  "40": "retry", // serialization failure, deadlock
  "42": "stop", // syntax error or access rule violation: schema or rights are not what they were
  "53": "retry", // insufficient resources: disk full, too many connections
  "55": "retry", // object in use, lock not available
  "57": "retry", // operator intervention: shutdown, query cancelled
  "58": "retry", // system error
  XX: "retry",
};
/** By SQLite's primary result code (https://sqlite.org/rescode.html). */
const BY_RESULT_CODE: Readonly<Record<number, Verdict>> = {
  1: "stop", // no such table, or SQL that this schema does not know
  11: "stop", // malformed database
  18: "data", // text or blob too big
  19: "data", // constraint violation
  20: "data", // datatype mismatch
  26: "stop", // not a database
};

/** Judges an error of any of the drivers. */
export function classify(error: unknown): Verdict {
  if (typeof error !== "object" || error === null) return "retry";
  if ("errcode" in error) return BY_RESULT_CODE[Number(error.errcode) & 0xff] ?? "retry";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (!/^[0-9A-Z]{5}$/.test(code)) return "retry";
  return BY_CODE[code] ?? BY_CLASS[code.slice(0, 2)] ?? "retry";
}
