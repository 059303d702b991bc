import { type LoadOptions, loadConfig } from "../config/load.ts";
import { storeOptions } from "../config/store-options.ts";
import { migrate } from "../store/open.ts";

/** Brings the configured database up to date. */
export async function migrateStore(options: LoadOptions, print: (text: string) => void): Promise<void> {
  const { applied, timescale, notes } = await migrate(storeOptions(loadConfig(options)));
  print(applied.length > 0 ? `Applied: ${applied.join(", ")}.` : "The database is up to date.");
  if (timescale) print(`TimescaleDB ${timescale} is in use.`);
  for (const note of notes) print(note);
}
