import type { Self } from "../expose/self.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { KitRecord } from "../store/store.ts";
import { type AgentDesk, type AgentDeskDeps, createAgentDesk } from "./agent-desk.ts";
import { type Configured, reconfigure } from "./configure.ts";
import type { External } from "./external.ts";
import type { Flow } from "./flow.ts";
import type { Keeping } from "./keeping.ts";
import { createPluginRegistry, type PluginRegistry } from "./plugin-registry.ts";
import { retiredKits } from "./records.ts";

export interface WantedDeps extends Pick<AgentDeskDeps, "monitor" | "snapshot" | "now" | "monotonic" | "log"> {
  /** What gleaner starts with. */
  readonly configured: Configured;
  /** Loads the configuration anew. @throws {ConfigError} with every problem found */
  readonly load: () => Configured["config"];
  readonly external: External;
  readonly keeping: Pick<Keeping, "store" | "kits" | "whenOpen" | "writer">;
  readonly flow: Pick<Flow, "fleet" | "pipeline">;
  readonly self: Self;
}

/** What is to be collected: what the configuration and the tables of plugins and agents come to. */
export interface Wanted {
  readonly registry: PluginRegistry;
  readonly agents: AgentDesk;
  /**
   * Begins to collect.
   * @param remembered the kits that the database knows
   * @returns the targets of the configuration
   */
  start(remembered: readonly KitRecord[]): Promise<readonly ConfiguredTarget[]>;
  /** Takes in the configuration as it is by now. @throws {ConfigError} when it cannot be used; then nothing changed */
  reload(): Promise<{ added: number; removed: number }>;
}

/** Brings together who says what is collected, and makes the fleet that. */
export function createWanted({ configured, load, external, keeping, flow, self, ...deps }: WantedDeps): Wanted {
  const { store, writer } = keeping;
  const { fleet, pipeline } = flow;

  async function apply(): Promise<{ added: number; removed: number }> {
    // The database is not needed for it: it only knows the ids of kits that were configured without one.
    const known = await keeping.kits().catch(() => []);
    // What is wanted by now: two of these may wait for the database at once.
    const applied = fleet.apply(agents.targets(), known);
    void external.keep(registry.plugins());
    return applied;
  }

  function want(targets: readonly ConfiguredTarget[]): Promise<{ added: number; removed: number }> {
    agents.want(targets);
    return apply();
  }

  const registry = createPluginRegistry({ store, apply: want, self, log: deps.log });
  const agents = createAgentDesk({
    ...{ ...deps, pipeline, self, store, changed: apply, fleet: () => fleet, isFull: writer.isFull },
    plugins: new Set(configured.plugins.map(({ id }) => id)),
    environment: configured.config.environment,
  });
  return {
    ...{ registry, agents },
    async start(remembered) {
      const targets = await registry.configure(configured);
      agents.want(targets);
      await agents.poll();
      fleet.apply(agents.targets(), remembered);
      await keeping.whenOpen(async (database) => {
        for (const kit of retiredKits(await database.listKits(), fleet.list())) writer.kit(kit);
      });
      return targets;
    },
    reload: async () => await want(await registry.configure(await reconfigure(load(), external, fleet.list()))),
  };
}
