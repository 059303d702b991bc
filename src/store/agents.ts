import { sql } from "kysely";
import type { AgentDeclaration, KeyedAgent, NewAgent } from "../model/agent.ts";
import type { Engine } from "./engines/engine.ts";
import { canonicalJson, cleanText } from "./json.ts";
import { toDate } from "./records.ts";
import type { AgentChange } from "./store.ts";

/** The table `agents`: who may report, and what each declared. */

/** All agents, by id; those that were revoked too. */
export async function listAgents({ db, capabilities }: Engine): Promise<KeyedAgent[]> {
  const rows = await db.selectFrom("agents").selectAll().orderBy("agent_id").execute();
  return rows.map((row) => ({
    ...{ id: row.agent_id, plugin: row.plugin_id, name: row.name, keySha256: row.key_sha256 },
    ...{ createdAt: new Date(row.created_at), expiresAt: new Date(row.expires_at) },
    ...{ revokedAt: toDate(row.revoked_at), registeredAt: toDate(row.registered_at) },
    declared: parsed(capabilities, row.declared) as AgentDeclaration | null,
    config: parsed(capabilities, row.config) ?? {},
  }));
}

/** People may write into the table: what is no JSON there is nothing. */
function parsed({ parseJson }: Engine["capabilities"], stored: unknown): unknown {
  try {
    return stored === null ? null : parseJson(stored);
  } catch {
    return null;
  }
}

/** Makes an agent known. @returns false when there is one of this id that was not revoked */
export async function addAgent({ db, capabilities }: Engine, agent: NewAgent): Promise<boolean> {
  const fresh = {
    ...{ plugin_id: cleanText(agent.plugin), name: cleanText(agent.name), key_sha256: agent.keySha256 },
    ...{ created_at: sql<Date>`${sql.raw(capabilities.now)}`, expires_at: agent.expiresAt, revoked_at: null },
    ...{ registered_at: null, declared: null, config: "{}" },
  };
  const result = await db
    .insertInto("agents")
    .values({ agent_id: cleanText(agent.id), ...fresh })
    .onConflict((c) => c.column("agent_id").doUpdateSet(fresh).where("agents.revoked_at", "is not", null))
    .executeTakeFirst();
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Changes what is known of an agent. @returns false when there is none */
export async function changeAgent({ db }: Engine, agentId: string, change: AgentChange): Promise<boolean> {
  const result = await db
    .updateTable("agents")
    .set(columnsOf(change))
    .where("agent_id", "=", cleanText(agentId))
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

function columnsOf(change: AgentChange) {
  if ("key" in change) return { key_sha256: change.key.keySha256, expires_at: change.key.expiresAt, revoked_at: null };
  if ("revokedAt" in change) return { revoked_at: change.revokedAt };
  if ("config" in change) return { config: canonicalJson(change.config) ?? "{}" };
  return { declared: canonicalJson(change.declared) ?? null, registered_at: change.registeredAt };
}
