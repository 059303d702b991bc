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
  const both = env["GLEANER_TOKEN"] && env["GLEANER_TOKEN_FILE"];
  return {
    values: [...plain, ...tokenOverride(env, cwd, tokens)],
    problems: both ? ["GLEANER_TOKEN_FILE: expected only one of GLEANER_TOKEN, GLEANER_TOKEN_FILE"] : [],
  };
}

/** The token "env": it may scrape and read, never change anything. */
function tokenOverride(env: Environment, cwd: string, index: number): Overrides["values"] {
  const file = env["GLEANER_TOKEN_FILE"];
  const name = env["GLEANER_TOKEN"] ? "GLEANER_TOKEN" : "GLEANER_TOKEN_FILE";
  const secret = env["GLEANER_TOKEN"]
    ? { token: env["GLEANER_TOKEN"] }
    : file
      ? { token_file: resolve(cwd, file) }
      : undefined;
  if (!secret) return [];
  return [{ name, path: ["server", "tokens", index], value: { name: "env", scopes: ["metrics", "read"], ...secret } }];
}
