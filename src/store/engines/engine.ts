import type { Kysely } from "kysely";
import type { Capabilities } from "../capabilities.ts";
import type { TableRows } from "../rows.ts";
import type { Database } from "../tables.ts";

/** What tells a database from another one that takes its place under the same name. */
export interface Identity {
  /** Another one when commits may be gone: another server or database, a fail-over to a standby, a schema made anew. */
  readonly history: string;
  /** Another one also when tables that are remembered here were emptied. */
  readonly contents: string;
}

/** One open database, as the rest of the store uses it. What an engine does differently is here or in its capabilities. */
export interface Engine {
  readonly kind: "sqlite" | "postgresql";
  readonly capabilities: Capabilities;
  readonly db: Kysely<Database>;
  /**
   * The hot write: appends rows and ignores those whose key is there already.
   * @returns how many rows were new, by table.
   */
  insertRows(tables: readonly TableRows[]): Promise<Record<string, number>>;
  /** Which database this is at the moment, where another can take its place; undefined when it cannot be told. */
  identity?(): Promise<Identity | undefined>;
  close(): Promise<void>;
}
