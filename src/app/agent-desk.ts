import type { Snapshot } from "../expose/types.ts";
import type { Agents } from "../http/app/agents.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import { type AgentIntakeDeps, createAgentIntake, isReported } from "./agent-intake.ts";
import { type AgentRegistryDeps, createAgentRegistry } from "./agents.ts";
import type { Fleet } from "./fleet.ts";
import { keyPoints } from "./points.ts";

export interface AgentDeskDeps extends AgentRegistryDeps, Omit<AgentIntakeDeps, "registry" | "target" | "targets"> {
  readonly snapshot: Pick<Snapshot, "replace">;
  readonly fleet: () => Pick<Fleet, "get" | "list">;
}

/** All there is about agents: who may report, what they report, and their targets beside the others. */
export interface AgentDesk {
  readonly api: Agents;
  /** Says which targets there are to be besides those of agents. */
  want(targets: readonly ConfiguredTarget[]): void;
  /** Those, and those of agents. */
  targets(): ConfiguredTarget[];
  /** A target that can be run from here. */
  startable(targetId: string): ConfiguredTarget | undefined;
  /** Looks at the table of agents. Never rejects. */
  poll(): Promise<void>;
  /** Lets time pass; call it every second or so. */
  tick(): Promise<void>;
}

/** Owner of what is about agents in the snapshot; no target can have such an id. */
const OWNER = "/agents";

export function createAgentDesk(deps: AgentDeskDeps): AgentDesk {
  let wanted: readonly ConfiguredTarget[] = [];
  const registry = createAgentRegistry(deps);
  const target = (targetId: string) => deps.fleet().get(targetId);
  const intake = createAgentIntake({ ...deps, registry, target, targets: () => deps.fleet().list() });
  return {
    api: { ...registry, ...intake },
    want(targets) {
      wanted = targets;
    },
    targets: () => registry.besides(wanted),
    startable(targetId) {
      const found = target(targetId);
      return found && !isReported(found) ? found : undefined;
    },
    poll: registry.poll,
    async tick() {
      deps.snapshot.replace(OWNER, "keys", keyPoints(registry.list()));
      await intake.tick();
    },
  };
}
