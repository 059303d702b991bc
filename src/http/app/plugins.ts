/** A plugin as people see it. Its settings are left out: they may hold secrets. */
export interface PluginView {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly category: string;
  readonly version: string;
  /** Whether any target of it runs. */
  readonly enabled: boolean;
  readonly targets: readonly string[];
  /** Whether its row in the database says something else than gleaner.yaml. */
  readonly edited: boolean;
  readonly changedAt: Date | null;
  /** Why its row cannot be used, so that what was in force before stays; null when it can. */
  readonly refused: string | null;
  /** Why it cannot be loaded, so that its targets fail; null when it is. */
  readonly failed: string | null;
}

/** What became of a change: made, no such plugin, nowhere to keep it now, or why it cannot be used. */
export type PluginChanged =
  | { readonly status: "changed"; readonly plugin: PluginView }
  | { readonly status: "unknown" }
  | { readonly status: "no_database" }
  | { readonly status: "refused"; readonly problems: readonly string[] };
