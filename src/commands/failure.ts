import { ConfigError } from "../config/problem.ts";

/** A command that could not do what it was asked: its message is the one sentence to show, and the exit code is 1. */
export class CommandFailure extends Error {}

/** What to print for anything that ended a command. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return `The configuration is not usable:\n${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
