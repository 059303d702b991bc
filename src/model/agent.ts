import type { Duration } from "./duration.ts";
import type { MetricSpec } from "./sample.ts";

/** What an agent said of itself when it registered. */
export interface AgentDeclaration {
  readonly version: string;
  /** How often it means to report (ms). */
  readonly interval: Duration;
  /** By the name it reports them under. */
  readonly metrics: Readonly<Record<string, MetricSpec>>;
}

/** A program elsewhere that reports by itself, as the owner made it known. */
export interface Agent {
  /** The id of its target. */
  readonly id: string;
  /** What kind of agent it is: the plugin that its series, rows and runs name. */
  readonly plugin: string;
  readonly name: string;
  readonly createdAt: Date;
  /** From then on its key is good for nothing. */
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
  readonly registeredAt: Date | null;
  /** Null until it registered. */
  readonly declared: AgentDeclaration | null;
  /** What the owner has set for it; it may fetch that. */
  readonly config: unknown;
}

/** An agent with what its key is known by: SHA-256 of its text, in hex. Never leaves store and key check. */
export interface KeyedAgent extends Agent {
  readonly keySha256: string;
}

/** What a new agent is made from. */
export interface NewAgent {
  readonly id: string;
  readonly plugin: string;
  readonly name: string;
  readonly expiresAt: Date;
  readonly keySha256: string;
}
