import type { ColumnType } from "./tables.ts";

/** What differs between engines in the SQL that migrations, roll-ups and upserts share. Data only; no code asks which engine it is. */
export interface Capabilities {
  /** Spelling of the portable column types, and of three that only tables of ours use. */
  readonly types: Readonly<Record<ColumnType | "uuid" | "short" | "identity", string>>;
  /** The current time in the engine's `time` type. */
  readonly now: string;
  /** Builds a JSON object from name, value, … */
  readonly jsonObject: string;
  /** What a narrow table ends with when its rows should live in the key's own tree. */
  readonly clustered: string;
  /** Indexes that only this engine can have. */
  readonly extraIndexes: readonly string[];
  /** A json column as read: SQLite hands out the text, PostgreSQL the value. */
  readonly parseJson: (stored: unknown) => unknown;
  /** Start of the UTC bucket of `width` ms that a time column falls in. */
  bucket(column: string, width: number): string;
}

export const SQLITE: Capabilities = {
  types: {
    text: "text",
    double: "real",
    integer: "integer",
    bigint: "integer",
    boolean: "integer",
    time: "integer",
    json: "text",
    uuid: "text",
    short: "varchar(20)",
    identity: "integer primary key autoincrement",
  },
  now: "(cast(unixepoch('subsec') * 1000 as integer))",
  jsonObject: "json_object",
  clustered: "without rowid",
  extraIndexes: [],
  parseJson: (stored) => (typeof stored === "string" ? JSON.parse(stored) : stored),
  // The double modulo floors times before 1970 too.
  bucket: (column, width) => `(${column} - (${column} % ${width} + ${width}) % ${width})`,
};

export const POSTGRESQL: Capabilities = {
  types: {
    text: "text",
    double: "double precision",
    integer: "integer",
    bigint: "bigint",
    boolean: "boolean",
    time: "timestamptz",
    json: "jsonb",
    uuid: "uuid",
    short: "varchar(20)",
    identity: "bigint generated always as identity primary key",
  },
  now: "now()",
  jsonObject: "jsonb_build_object",
  clustered: "",
  extraIndexes: [
    // Samples arrive in the order of time, so a block range index serves "the last hour" at next to no cost per row.
    "create index samples_time on samples using brin (time)",
    "create index series_labels on series using gin (labels)",
  ],
  parseJson: (stored) => stored,
  // date_bin, not date_trunc: days must not depend on the session's time zone.
  bucket: (column, width) => `date_bin('${width} milliseconds', ${column}, timestamptz '1970-01-01T00:00:00Z')`,
};
