import { redactCacheUrl } from "./cache.ts";
import { redactDatabaseUrl } from "./database-url.ts";
import type { LoadedConfig } from "./loaded.ts";

const HIDDEN = "[redacted]";

/** Everything of a configuration that is data. */
export type PlainConfig = Omit<LoadedConfig, "origin" | "redacted" | "toJSON">;

/**
 * A configuration to show: tokens by name and scopes, the database without password,
 * and no text out of a plugin's own settings, because a plugin may call its secrets what it likes.
 */
export function redact(config: PlainConfig): unknown {
  const targets = Object.entries(config.targets).map(([id, target]) => [
    id,
    { ...target, config: hideTexts(target.config) },
  ]);
  return {
    ...config,
    server: { ...config.server, tokens: config.server.tokens.map(({ name, scopes }) => ({ name, scopes })) },
    store: { ...config.store, url: redactDatabaseUrl(config.store.url) },
    cache: { ...config.cache, url: config.cache.url === undefined ? undefined : redactCacheUrl(config.cache.url) },
    targets: Object.fromEntries(targets),
  };
}

/** Data with every text hidden: any may be a secret. */
export function hideTexts(value: unknown): unknown {
  if (typeof value === "string") return HIDDEN;
  if (Array.isArray(value)) return value.map(hideTexts);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hideTexts(inner)]));
}
