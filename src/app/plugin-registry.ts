import type { Self } from "../expose/self.ts";
import type { PluginChanged, PluginView } from "../http/app/plugins.ts";
import type { Logger, Plugin } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { PluginChange, PluginSeed, Store, StoredPlugin } from "../store/store.ts";
import type { Configured } from "./configure.ts";
import { createInTurn } from "./in-turn.ts";
import { type Choice, choose } from "./plugin-choice.ts";
import { seedsOf } from "./plugin-seeds.ts";

type Rows = Pick<Store, "seedPlugins" | "listPlugins" | "changePlugin">;

export interface PluginRegistryDeps {
  /** The database, while it is there. */
  readonly store: () => Rows | undefined;
  /** Makes the fleet these targets; what did not change goes on undisturbed. */
  readonly apply: (targets: readonly ConfiguredTarget[]) => Promise<unknown>;
  readonly self: Pick<Self, "pluginsRefused" | "pluginsFailed">;
  readonly log: Logger;
}

/** What runs: gleaner.yaml, and what people changed in the table `plugins` since. */
export interface PluginRegistry {
  /** Takes a configuration that was loaded, with the rows where the database is there. @returns the targets it comes to */
  configure(configured: Configured): Promise<readonly ConfiguredTarget[]>;
  /** Looks at the table, and applies what changed. Never rejects. */
  poll(): Promise<void>;
  /** Changes a plugin's row and applies it, unless the change cannot be used. */
  change(pluginId: string, change: PluginChange): Promise<PluginChanged>;
  views(): readonly PluginView[];
  /** All there are, whether they run or not. */
  plugins(): readonly Plugin[];
}

const NOTHING: Choice = { targets: [], inForce: new Map(), refused: new Map() };

/** Keeps the table `plugins` and what runs together, one step after the other. */
export function createPluginRegistry({ store, apply, self, log }: PluginRegistryDeps): PluginRegistry {
  let configured: Configured | undefined;
  let seeds: readonly PluginSeed[] = [];
  let rows: readonly StoredPlugin[] = [];
  /** Whether the database has what gleaner.yaml says. */
  let isSeeded = false;
  let choice = NOTHING;
  // A poll must not apply what it read before a change.
  const inTurn = createInTurn();

  async function readRows(db: Rows): Promise<void> {
    if (!isSeeded) {
      for (const pluginId of await db.seedPlugins(seeds))
        log.warn({ plugin: pluginId }, "gleaner.yaml changed: what it says of the plugin goes before what was edited");
      isSeeded = true;
    }
    rows = await db.listPlugins();
  }

  function decide(of: Configured, from: readonly StoredPlugin[]): Promise<Choice> {
    return choose({ configured: of, seeds, rows: from, before: choice.inForce });
  }

  /** Takes a choice over; a row that cannot be used is told once, and again when it is another one. */
  function settle(made: Choice): void {
    for (const [plugin, problems] of made.refused)
      if (problems.join() !== choice.refused.get(plugin)?.join())
        log.error({ plugin, problems }, "a change of the plugin cannot be used; what was in force before stays");
    choice = made;
    self.pluginsRefused(made.refused.size);
  }

  /** Reads the table where it is there; without it what was read before goes on to hold. */
  async function refresh(): Promise<void> {
    const db = store();
    if (!db) return;
    await readRows(db).catch((error: unknown) => log.debug({ err: error }, "the table of plugins cannot be read"));
  }

  async function poll(): Promise<void> {
    if (!configured) return;
    const before = JSON.stringify(rows);
    await refresh();
    if (JSON.stringify(rows) === before) return;
    settle(await decide(configured, rows));
    await apply(choice.targets);
  }

  function viewOf(plugin: Plugin): PluginView {
    const row = rows.find(({ pluginId }) => pluginId === plugin.id);
    const own = choice.targets.filter((target) => target.plugin.id === plugin.id);
    return {
      ...{ id: plugin.id, title: plugin.title, summary: plugin.summary, category: plugin.category },
      ...{ version: plugin.version, enabled: own.length > 0, targets: own.map(({ id }) => id) },
      ...{ edited: row?.isEdited ?? false, changedAt: row?.updatedAt ?? null },
      refused: choice.refused.get(plugin.id)?.join("; ") ?? null,
      failed: configured?.failed.get(plugin.id) ?? null,
    };
  }

  async function change(pluginId: string, wanted: PluginChange): Promise<PluginChanged> {
    const plugin = configured?.plugins.find(({ id }) => id === pluginId);
    if (!plugin) return { status: "unknown" };
    const db = store();
    await refresh();
    const row = rows.find((one) => one.pluginId === pluginId);
    if (!db || !configured || !row) return { status: "no_database" };
    const changed = { ...row, ...wanted, isEdited: true };
    const tried = await decide(
      configured,
      rows.map((one) => (one === row ? changed : one)),
    );
    const problems = tried.refused.get(pluginId);
    if (problems) return { status: "refused", problems };
    await db.changePlugin(pluginId, wanted);
    await poll();
    return { status: "changed", plugin: viewOf(plugin) };
  }

  return {
    configure: (fresh) =>
      inTurn(async () => {
        const freshSeeds = await seedsOf(fresh);
        [configured, seeds, isSeeded] = [fresh, freshSeeds, false];
        await refresh();
        settle(await decide(fresh, rows));
        self.pluginsFailed(fresh.failed.size);
        return choice.targets;
      }),
    poll: () => inTurn(poll).catch((error: unknown) => log.error({ err: error }, "plugins could not be applied")),
    change: (pluginId, wanted) => inTurn(() => change(pluginId, wanted)),
    views: () => (configured?.plugins ?? []).map(viewOf),
    plugins: () => configured?.plugins ?? [],
  };
}
