/** What owners do with agents, and what agents do. Bodies are parsed JSON, and nothing is known of them. */
export interface Agents {
  list(): readonly AgentView[];
  /** What a bearer token is worth as the key of this agent. */
  judge(id: string, presented: string): KeyVerdict;
  /** Makes an agent known. The answer holds its key, this once. */
  add(body: unknown): Promise<AgentAnswer>;
  /** Gives it another key; the one before is good for nothing from then on. */
  renew(id: string, body: unknown): Promise<AgentAnswer>;
  revoke(id: string): Promise<AgentAnswer>;
  configure(id: string, config: unknown): Promise<AgentAnswer>;
  /** What the agent will report. */
  register(id: string, body: unknown): Promise<AgentAnswer>;
  /** What it measured; done means durable. */
  report(id: string, body: unknown): Promise<AgentAnswer>;
  /** What it says of itself; done means durable. */
  health(id: string, body: unknown): Promise<AgentAnswer>;
  /** What its owner has set for it. */
  config(id: string): AgentAnswer;
}

/**
 * What a token is worth as an agent's key: `other` when it is no key at all, `unavailable` while nobody can tell, because the
 * database was not reached yet.
 */
export type KeyVerdict = "good" | "wrong" | "expired" | "revoked" | "unavailable" | "other";

/** What became of a request: done, no such agent, not as things are, nothing that can be used, or not at the moment. */
export type AgentAnswer =
  | { readonly status: "done"; readonly body: object }
  | { readonly status: "unknown" }
  | { readonly status: "conflict" | "unusable" | "unavailable"; readonly problems: readonly string[] };

/** An agent as people see it. Nothing of its key is in it, nor its configuration, which may hold secrets. */
export interface AgentView {
  readonly id: string;
  readonly name: string;
  readonly plugin: string;
  /** Whether it has registered yet, and whether its key is still good. */
  readonly state: "waiting" | "registered" | "expired" | "revoked";
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly registeredAt: Date | null;
  readonly version: string | null;
  /** How often it means to report, such as `30s`. */
  readonly interval: string | null;
  /** Names of its metrics as they are exposed. */
  readonly metrics: readonly string[];
}
