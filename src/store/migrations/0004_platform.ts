import { type Kysely, sql } from "kysely";
import type { Capabilities } from "../capabilities.ts";
import { EXECUTION_CONTEXT } from "../tables.ts";

/** Gives `plugins` the mark of what it was seeded with (plugin-rows.ts), and executions where and by what they were made. */
export async function platform(db: Kysely<unknown>, engine: Capabilities): Promise<void> {
  const add = (table: string, column: string, type: string) =>
    db.schema.alterTable(table).addColumn(column, sql.raw(type)).execute();
  await add("plugins", "seed", engine.types.text);
  for (const [column, type] of Object.entries(EXECUTION_CONTEXT))
    await add("plugin_executions", column, engine.types[type]);
}
