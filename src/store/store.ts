import type { AgentDeclaration, KeyedAgent, NewAgent } from "../model/agent.ts";
import type { KitState, TargetState } from "../model/health.ts";
import type { TakenBatch, TakenEvent } from "./taken.ts";

/** State of one target, coalesced in memory and written with the next flush. */
export interface TargetStatus {
  readonly targetId: string;
  readonly pluginId: string;
  readonly state: TargetState;
  readonly lastRun: Date | null;
  readonly lastSuccess: Date | null;
  readonly lastError: string | null;
  readonly errorCount: number;
  readonly consecutiveErrors: number;
}

/** A kit as the `kits` table holds it. `lastSeen` moves by successful polls only. */
export interface KitRecord {
  readonly kitId: string;
  readonly name: string | null;
  readonly location: string | null;
  readonly apiUrl: string;
  readonly status: KitState;
  readonly lastSeen: Date | null;
  readonly enabled: boolean;
  readonly source: "http" | "mqtt" | "both";
  readonly tags: Readonly<Record<string, string>>;
  /** What the kit calls itself; null until it told. */
  readonly uid: string | null;
}

/** A plugin as gleaner.yaml has it, for the `plugins` table. */
export interface PluginSeed {
  readonly pluginId: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly category: string;
  readonly enabled: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  /** Changes when what gleaner.yaml says of the plugin changes; letters and digits only. */
  readonly yaml: string;
}

/** What somebody wants of a plugin. */
export interface PluginChange {
  readonly enabled?: boolean;
  readonly config?: unknown;
}

/** A row of `plugins`, as far as it decides what runs. */
export interface StoredPlugin {
  readonly pluginId: string;
  readonly enabled: boolean;
  /** Whatever somebody wrote there. */
  readonly config: unknown;
  /** The `yaml` it was seeded with; empty when it never was. */
  readonly yaml: string;
  /** Whether it no longer is what it was seeded with. */
  readonly isEdited: boolean;
  readonly updatedAt: Date | null;
}

/** What can change of an agent. A new key makes it one that is not revoked. */
export type AgentChange =
  | { readonly key: Pick<NewAgent, "keySha256" | "expiresAt"> }
  | { readonly revokedAt: Date }
  | { readonly config: unknown }
  | { readonly declared: AgentDeclaration; readonly registeredAt: Date };

/** Rows by table, and what became of them. */
export interface WriteCounts {
  /** Rows newly stored, by table. */
  readonly stored: Readonly<Record<string, number>>;
  /** Rows that were there already, by table: a replay or an unchanged observation. */
  readonly duplicate: Readonly<Record<string, number>>;
  /** Rows that no table could take, by table: a part of the key missing, an unknown table, a document that is no JSON. */
  readonly rejected: Readonly<Record<string, number>>;
  /** Rows that the database itself refused, by table: they are in `dead_letters`, with the reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** One database, whichever engine. Methods reject with the driver's error; the writer decides what to do about it. */
export interface Store {
  readonly engine: "sqlite" | "postgresql";
  /** Version of the TimescaleDB extension in use, or null. */
  readonly timescale: string | null;
  /** Engine and place without credentials, for logs and the landing page: `sqlite data/gleaner.db`. */
  readonly label: string;
  /** Writes batches and events under their natural keys: safe to repeat, in whole or in part. */
  writeBatches(batches: readonly TakenBatch[]): Promise<WriteCounts>;
  writeEvents(events: readonly TakenEvent[]): Promise<WriteCounts>;
  upsertStatus(statuses: readonly TargetStatus[]): Promise<void>;
  upsertKits(kits: readonly KitRecord[]): Promise<void>;
  /** Writes what gleaner.yaml says into `plugins`, except where somebody said otherwise since; tells whose edits gave way. */
  seedPlugins(seeds: readonly PluginSeed[]): Promise<string[]>;
  listPlugins(): Promise<StoredPlugin[]>;
  /** Writes what somebody wants of a plugin; false when it has no row. */
  changePlugin(pluginId: string, change: PluginChange): Promise<boolean>;
  listKits(): Promise<KitRecord[]>;
  listAgents(): Promise<KeyedAgent[]>;
  /** Makes an agent known, also in place of one that was revoked; false when there is one of this id. */
  addAgent(agent: NewAgent): Promise<boolean>;
  /** Changes what is known of an agent; false when there is none of this id. */
  changeAgent(agentId: string, change: AgentChange): Promise<boolean>;
  /** Brings back a schema that went missing, as when another database was put in this one's place. */
  repair(): Promise<void>;
  /** Names the history of commits that the database has, where another can take its place: a fail-over makes another one. */
  history(): Promise<string | undefined>;
  /** Resolves when the database answers; rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Everything that opening a store may depend on. */
export interface StoreOptions {
  /** `sqlite:data/gleaner.db`, `sqlite:///abs/path.db`, `postgresql://…`. */
  readonly url: string;
  readonly retention: Retention;
  /** Longest one statement may take, on both sides of the connection (ms). */
  readonly statementTimeout: number;
  readonly poolSize: number;
}

/** How long each tier is kept (ms); the defaults are in config/schema.ts. */
export interface Retention {
  readonly raw: number;
  readonly hourly: number;
  readonly daily: number;
  readonly systemHealth: number;
  readonly alertHistory: number;
  /** Chunks older than this are compressed (TimescaleDB only). */
  readonly compressAfter: number;
}
