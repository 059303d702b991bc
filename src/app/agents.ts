import { soundDeclaration } from "../agents/declaration.ts";
import { isKey, isKeyOf, newKey } from "../agents/keys.ts";
import { configProblems, readRenewal, readWanted } from "../agents/settings.ts";
import { agentTarget } from "../agents/target.ts";
import type { AgentAnswer, Agents, AgentView } from "../http/app/agents.ts";
import type { KeyedAgent } from "../model/agent.ts";
import { formatDuration } from "../model/duration.ts";
import type { Logger } from "../model/plugin.ts";
import type { ConfiguredTarget } from "../model/target.ts";
import type { AgentChange, Store } from "../store/store.ts";
import { createInTurn } from "./in-turn.ts";

type Rows = Pick<Store, "listAgents" | "addAgent" | "changeAgent">;

export interface AgentRegistryDeps {
  /** The database, while it is there. */
  readonly store: () => Rows | undefined;
  /** Ids of gleaner's own plugins: no agent goes by one. */
  readonly plugins: ReadonlySet<string>;
  readonly environment: string | undefined;
  /** Called when the targets of agents are others than before. */
  readonly changed: () => Promise<unknown>;
  readonly now: () => Date;
  readonly log: Logger;
}

/** Who may report, as the table `agents` says; kept in memory, because every request is asked for its key. */
export interface AgentRegistry
  extends Pick<Agents, "list" | "judge" | "add" | "renew" | "revoke" | "configure" | "config"> {
  /** Looks at the table, and applies what changed. Never rejects. */
  poll(): Promise<void>;
  /** These targets and those of agents; an agent whose id is another target's has none. */
  besides(targets: readonly ConfiguredTarget[]): ConfiguredTarget[];
  find(agentId: string): KeyedAgent | undefined;
  /** Writes a change of an agent and applies it. */
  change(agentId: string, change: AgentChange, body: object): Promise<AgentAnswer>;
}

const NO_DATABASE: AgentAnswer = {
  status: "unavailable",
  problems: ["the database cannot be reached, and agents are kept there"],
};

const done = (body: object): AgentAnswer => ({ status: "done", body });

export function createAgentRegistry(deps: AgentRegistryDeps): AgentRegistry {
  const { store, now, log } = deps;
  /** Undefined until the database told. */
  let agents: ReadonlyMap<string, KeyedAgent> | undefined;
  let refused: ReadonlySet<string> = new Set();
  /** The table as it was read last. */
  let known = "";
  // A poll must not bring back what it read before a change.
  const inTurn = createInTurn();

  const active = () => [...(agents?.values() ?? [])].filter(({ revokedAt }) => revokedAt === null);
  const find = (agentId: string) => agents?.get(agentId);

  async function refresh(db: Rows): Promise<void> {
    const rows = await db.listAgents();
    const read = JSON.stringify(rows);
    if (agents && read === known) return;
    const before = JSON.stringify(active().map(declaredOnly));
    agents = new Map(rows.map((row) => [row.id, { ...row, declared: soundDeclaration(row.declared) }]));
    known = read;
    if (JSON.stringify(active().map(declaredOnly)) !== before) await deps.changed();
  }

  /** Does something in the database, then looks at what came of it. */
  function attempt(work: (db: Rows) => Promise<AgentAnswer>): Promise<AgentAnswer> {
    return inTurn(async () => {
      const db = store();
      if (!db) return NO_DATABASE;
      try {
        const answer = await work(db);
        await refresh(db);
        return answer;
      } catch (error) {
        log.warn({ err: error }, "the table of agents cannot be used");
        return NO_DATABASE;
      }
    });
  }

  const change: AgentRegistry["change"] = (agentId, wanted, body) =>
    attempt(async (db) => ((await db.changeAgent(agentId, wanted)) ? done(body) : { status: "unknown" }));

  return {
    find,
    change,
    poll: () =>
      inTurn(async () => {
        const db = store();
        if (db) await refresh(db);
      }).catch((error: unknown) => log.debug({ err: error }, "the table of agents cannot be read")),
    besides(targets) {
      const taken = new Set(targets.map(({ id }) => id));
      const twins = new Set(active().flatMap(({ id }) => (taken.has(id) ? [id] : [])));
      for (const agent of twins)
        if (!refused.has(agent)) log.error({ agent }, "an agent has the id of a target: what it reports is refused");
      refused = twins;
      const own = active().filter(({ id }) => !taken.has(id));
      return [...targets, ...own.map((agent) => agentTarget(agent, deps.environment))];
    },
    list: () => [...(agents?.values() ?? [])].map((agent) => viewOf(agent, now())),
    judge(id, presented) {
      if (!isKey(presented)) return "other";
      if (!agents) return "unavailable";
      const agent = find(id);
      if (!isKeyOf(presented, agent?.keySha256) || !agent) return "wrong";
      if (agent.revokedAt) return "revoked";
      return agent.expiresAt > now() ? "good" : "expired";
    },
    async add(body) {
      const wanted = readWanted(body, deps.plugins);
      if ("problems" in wanted) return { status: "unusable", problems: wanted.problems };
      const { id, plugin, name, lifetime } = wanted;
      const { key, sha256 } = newKey();
      const expiresAt = new Date(now().getTime() + lifetime);
      return attempt(async (db) =>
        (await db.addAgent({ id, plugin, name, expiresAt, keySha256: sha256 }))
          ? done({ id, plugin, key, expiresAt })
          : { status: "conflict", problems: [`there is an agent ${id}; renew its key, or revoke it first`] },
      );
    },
    async renew(id, body) {
      const wanted = readRenewal(body);
      if ("problems" in wanted) return { status: "unusable", problems: wanted.problems };
      const { key, sha256 } = newKey();
      const expiresAt = new Date(now().getTime() + wanted.lifetime);
      return change(id, { key: { keySha256: sha256, expiresAt } }, { id, key, expiresAt });
    },
    revoke: (id) => change(id, { revokedAt: now() }, { id, revokedAt: now() }),
    async configure(id, config) {
      const problems = configProblems(config);
      return problems.length > 0 ? { status: "unusable", problems } : change(id, { config }, { id });
    },
    config(id) {
      const agent = find(id);
      return agent ? done({ config: agent.config }) : { status: "unknown" };
    },
  };
}

/** What makes an agent's target. */
const declaredOnly = ({ id, plugin, name, declared }: KeyedAgent) => ({ id, plugin, name, declared });

function viewOf(agent: KeyedAgent, now: Date): AgentView {
  const { id, name, plugin, createdAt, expiresAt, revokedAt, registeredAt, declared } = agent;
  const known = declared === null ? "waiting" : "registered";
  return {
    ...{ id, name, plugin, createdAt, expiresAt, revokedAt, registeredAt },
    state: revokedAt ? "revoked" : expiresAt <= now ? "expired" : known,
    version: declared?.version ?? null,
    interval: declared ? formatDuration(declared.interval) : null,
    metrics: Object.keys(declared?.metrics ?? {}).map((metric) => `gleaner_${metric}`),
  };
}
