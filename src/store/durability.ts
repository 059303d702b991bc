import { sql } from "kysely";
import type { Engine } from "./engines/engine.ts";

/** Settings of a server under which a power cut takes committed rows or the whole database, and what to say of them. */
const RISKS: Readonly<Record<string, string>> = {
  fsync:
    "a power cut can destroy the database (it runs with fsync=off), and what gleaner has written there is not kept elsewhere",
  full_page_writes: "a power cut can damage the database (it runs with full_page_writes=off)",
};

/** What the server's settings mean for rows that are committed, a sentence each; nothing where all is well. */
export async function durabilityNotes({ kind, db }: Engine): Promise<string[]> {
  if (kind !== "postgresql") return [];
  const { rows } = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings where name in ('fsync', 'full_page_writes')`.execute(db);
  return rows.filter(({ setting }) => setting === "off").flatMap(({ name }) => RISKS[name] ?? []);
}
