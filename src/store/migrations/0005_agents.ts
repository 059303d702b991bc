import { type Kysely, sql } from "kysely";
import type { Capabilities } from "../capabilities.ts";

/** Agents that report by themselves; `key_sha256` is all that is kept of a key. */
export async function agents(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const type = (name: keyof Capabilities["types"]) => sql.raw(engine.types[name]);
  await db.schema
    .createTable("agents")
    .addColumn("agent_id", type("text"), (c) => c.primaryKey().notNull())
    .addColumn("plugin_id", type("text"), (c) => c.notNull())
    .addColumn("name", type("text"), (c) => c.notNull())
    .addColumn("key_sha256", type("text"), (c) => c.notNull())
    .addColumn("created_at", type("time"), (c) => c.notNull())
    .addColumn("expires_at", type("time"), (c) => c.notNull())
    .addColumn("revoked_at", type("time"))
    .addColumn("registered_at", type("time"))
    .addColumn("declared", type("json"))
    .addColumn("config", type("json"), (c) => c.notNull())
    .execute();
}
