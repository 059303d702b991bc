import { resolve } from "node:path";
import type { Environment } from "./interpolate.ts";
import type { Path } from "./problem.ts";

/** A variable that overrides one setting. */
export interface Variable {
  readonly name: string;
  readonly path: readonly string[];
  /** A path in it is relative to the working directory. */
  readonly isPath?: true;
  readonly normalise?: (value: string) => string;
}

/** Levels as other systems spell them. */
const LEVEL_ALIASES: Readonly<Record<string, string>> = { warning: "warn", critical: "fatal" };

/** Every variable that overrides a setting. They win over the files. */
export const VARIABLES: readonly Variable[] = [
  { name: "DATABASE_URL", path: ["store", "url"] },
  { name: "KITS_CONFIG", path: ["kits", "file"], isPath: true },
  { name: "GLEANER_LISTEN", path: ["server", "listen"] },
  { name: "GLEANER_DATA_DIR", path: ["data_dir"], isPath: true },
  { name: "POLL_INTERVAL", path: ["kits", "poll_interval"] },
  { name: "STATUS_POLL_INTERVAL", path: ["kits", "status_interval"] },
  { name: "REQUEST_TIMEOUT", path: ["kits", "timeout"] },
  { name: "MAX_RETRIES", path: ["kits", "max_retries"] },
  { name: "INITIAL_BACKOFF", path: ["kits", "initial_backoff"] },
  { name: "MAX_BACKOFF", path: ["kits", "max_backoff"] },
  { name: "STALE_THRESHOLD", path: ["kits", "stale_threshold"] },
  {
    name: "LOG_LEVEL",
    path: ["log", "level"],
    normalise: (level) => LEVEL_ALIASES[level.toLowerCase()] ?? level.toLowerCase(),
  },
];

/** What the environment says: values at their paths, and the name of the variable behind each. */
export interface Overrides {
  readonly values: readonly { readonly path: Path; readonly value: unknown; readonly name: string }[];
  readonly problems: readonly string[];
}

/**
 * Reads the overrides; a variable that is set to nothing counts as unset.
 * @param tokens how many tokens the file has: the environment's own comes after them
 */
export function readOverrides(env: Environment, cwd: string, tokens: number): Overrides {
  const plain = VARIABLES.flatMap(({ name, path, isPath, normalise }) => {
    const text = env[name]?.trim();
    if (!text) return [];
    return [{ name, path, value: isPath ? resolve(cwd, text) : (normalise?.(text) ?? text) }];
  });
  const own = TOKENS.filter(({ variable }) => env[variable] || env[`${variable}_FILE`]);
  return {
    values: [...plain, ...own.map((token, index) => tokenOverride(token, env, cwd, tokens + index))],
    problems: own
      .filter(({ variable }) => env[variable] && env[`${variable}_FILE`])
      .map(({ variable }) => `${variable}_FILE: expected only one of ${variable}, ${variable}_FILE`),
  };
}

/** Tokens out of the environment. `env` may scrape and read, never change anything; `webhook` may report alerts and nothing else. */
const TOKENS = [
  { variable: "GLEANER_TOKEN", name: "env", scopes: ["metrics", "read"] },
  { variable: "GLEANER_WEBHOOK_TOKEN", name: "webhook", scopes: ["alerts"] },
] as const;

function tokenOverride(
  { variable, name, scopes }: (typeof TOKENS)[number],
  env: Environment,
  cwd: string,
  index: number,
): Overrides["values"][number] {
  const token = env[variable];
  const secret = token ? { token } : { token_file: resolve(cwd, env[`${variable}_FILE`] ?? "") };
  return {
    name: token ? variable : `${variable}_FILE`,
    path: ["server", "tokens", index],
    value: { name, scopes: [...scopes], ...secret },
  };
}
