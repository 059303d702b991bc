import { canonicalPluginId } from "./plugin.ts";

/** What an external plugin may do only where its owner says so; without a list it may use the network. */
export const PERMISSIONS = ["network", "child_processes", "workers"] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** `./plugins/tank-level.ts` and `@acme/gleaner-plugin-tank-level` -> `tank_level`: what the plugin's id must be. */
export function externalId({ file = "", package: name }: Pick<ExternalPlugin, "file" | "package">): string {
  const bare = name?.replace(/^@[^/]+\//, "").replace(/^gleaner-plugin-/, "");
  return canonicalPluginId(bare ?? file.replace(/^.*[/\\]/, "").replace(/\.[cm]?[jt]s$/, ""));
}

/** A plugin that does not come with gleaner, as gleaner.yaml names it: a file, or a package. */
export interface ExternalPlugin {
  /** Relative to `folder`, and then within it; or absolute. */
  readonly file?: string | undefined;
  /** Name of an npm package that is installed in `folder` or above it. */
  readonly package?: string | undefined;
  /** The folder of gleaner.yaml, absolute. */
  readonly folder: string;
  /** SHA-256 that its files must have (isolate/manifest.ts). */
  readonly sha256?: string | undefined;
  /** Most memory its process may take (bytes). */
  readonly memory: number;
  /** Names of the environment variables it gets. */
  readonly env: readonly string[];
  /** Files and folders it may read besides its own, absolute. */
  readonly read: readonly string[];
  readonly allow: readonly Permission[];
}
