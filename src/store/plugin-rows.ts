import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Engine } from "./engines/engine.ts";
import { canonicalJson, cleanText, fingerprint } from "./json.ts";
import { toDate } from "./records.ts";
import type { PluginChange, PluginSeed, StoredPlugin } from "./store.ts";

/**
 * The table `plugins`: what runs, as configured in gleaner.yaml and changed by people. `seed` holds two marks with a dot
 * between: of the part of gleaner.yaml that the row was made from, and of what was written into the row then. A row that no
 * longer is what was written into it was edited, by whatever means.
 */

const contentMark = (enabled: boolean, config: unknown): string =>
  fingerprint(canonicalJson({ enabled, config }) ?? "").slice(0, 16);

const seedMark = ({ yaml, enabled, config }: PluginSeed): string => `${yaml}.${contentMark(enabled, config)}`;

/** All rows, by plugin. */
export async function listPlugins({ db, capabilities }: Engine): Promise<StoredPlugin[]> {
  const rows = await db.selectFrom("plugins").selectAll().orderBy("plugin_id").execute();
  return rows.map((row) => {
    const enabled = Boolean(row.enabled);
    const config = parsed(capabilities, row.config);
    const [yaml = "", content] = row.seed?.split(".") ?? [];
    const isEdited = content !== undefined && content !== contentMark(enabled, config);
    return { pluginId: row.plugin_id, enabled, config, yaml, isEdited, updatedAt: toDate(row.updated_at) };
  });
}

/** What cannot be parsed is handed on as it is: whoever judges the row says what is wrong with it. */
function parsed(capabilities: Engine["capabilities"], config: unknown): unknown {
  try {
    return capabilities.parseJson(config) ?? {};
  } catch {
    return config;
  }
}

/**
 * Writes what gleaner.yaml says. A row that was edited stays as it is until that part of gleaner.yaml changes.
 * @returns the plugins whose edits gave way
 */
export async function seedPlugins(engine: Engine, seeds: readonly PluginSeed[]): Promise<string[]> {
  if (seeds.length === 0) return [];
  const rows = new Map((await listPlugins(engine)).map((row) => [row.pluginId, row]));
  const overruled: string[] = [];
  for (const seed of seeds) {
    const row = rows.get(cleanText(seed.pluginId));
    if (!row) await insert(engine, seed);
    else if (row.isEdited && row.yaml === seed.yaml) await describe(engine, seed);
    else {
      if (row.isEdited) overruled.push(seed.pluginId);
      await overwrite(engine, seed);
    }
  }
  return overruled;
}

const described = ({ name, version, description, category }: PluginSeed) => ({
  name: cleanText(name),
  version: cleanText(version),
  description: cleanText(description),
  category: cleanText(category),
});

const settings = (seed: PluginSeed) => ({
  enabled: seed.enabled,
  config: canonicalJson(seed.config) ?? "{}",
  seed: seedMark(seed),
});

const now = ({ capabilities }: Engine) => sql<Date>`${sql.raw(capabilities.now)}`;

async function insert(engine: Engine, seed: PluginSeed): Promise<void> {
  const plugin_id = cleanText(seed.pluginId);
  const row = { id: randomUUID(), plugin_id, ...described(seed), ...settings(seed), updated_at: now(engine) };
  // Another collector may have been faster.
  await engine.db
    .insertInto("plugins")
    .values(row)
    .onConflict((c) => c.column("plugin_id").doNothing())
    .execute();
}

/** `updated_at` is when the settings changed, and not when gleaner started. */
async function overwrite(engine: Engine, seed: PluginSeed): Promise<void> {
  await describe(engine, seed);
  await engine.db
    .updateTable("plugins")
    .set({ ...settings(seed), updated_at: now(engine) })
    .where("plugin_id", "=", cleanText(seed.pluginId))
    .where((eb) => eb.or([eb("seed", "is", null), eb("seed", "<>", seedMark(seed))]))
    .execute();
}

async function describe({ db }: Engine, seed: PluginSeed): Promise<void> {
  await db
    .updateTable("plugins")
    .set(described(seed))
    .where("plugin_id", "=", cleanText(seed.pluginId))
    .where("version", "<>", cleanText(seed.version))
    .execute();
}

/** Writes what somebody wants of a plugin. @returns false when there is no row of it */
export async function changePlugin(
  engine: Engine,
  pluginId: string,
  { enabled, config }: PluginChange,
): Promise<boolean> {
  const result = await engine.db
    .updateTable("plugins")
    .set({
      ...(enabled === undefined ? {} : { enabled }),
      ...(config === undefined ? {} : { config: canonicalJson(config) ?? "{}" }),
      updated_at: now(engine),
    })
    .where("plugin_id", "=", cleanText(pluginId))
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}
