import type { ExternalPlugin } from "../model/external.ts";
import type { KitEntry } from "./kits.ts";
import type { Settings } from "./schema.ts";
import type { HashedToken } from "./secrets.ts";
import type { Origin } from "./validate.ts";

/**
 * The whole configuration: defaults filled in, durations in milliseconds, paths absolute, tokens hashed, frozen.
 * As JSON (and in console.log) it is `redacted()`.
 */
export interface LoadedConfig extends Omit<Settings, "server" | "store" | "cache" | "external_plugins"> {
  readonly server: Omit<Settings["server"], "tokens"> & { readonly tokens: readonly HashedToken[] };
  /** `url` is `sqlite:` with an absolute path, or `postgresql://…` with its password. */
  readonly store: Omit<Settings["store"], "url" | "url_file"> & { readonly url: string };
  /** `url` has its password; undefined where there is no cache. */
  readonly cache: Omit<Settings["cache"], "url" | "url_file"> & { readonly url: string | undefined };
  readonly external_plugins: readonly ExternalPlugin[];
  /** The kits of kits.yaml; `kits` holds the settings for all of them. */
  readonly kitList: readonly KitEntry[];
  /** Whether kits.yaml has a list at all, even an empty one. */
  readonly hasKitList: boolean;
  /** The files and variables that were used, for the start screen; empty when all is default. */
  readonly sources: readonly string[];
  /** Where each value of gleaner.yaml came from, for problems found later. */
  readonly origin: Origin;
  /** The configuration without anything secret. */
  redacted(): unknown;
  toJSON(): unknown;
}
