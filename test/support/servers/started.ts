import { basename } from "node:path";

/** Servers that this process' tests are for, and those that they started. */
const wanted = new Set<string>();
const started = new Set<string>();

/** A part of the tests was asked for: what the others would have started is not missed. */
const isPart =
  process.execArgv.some((option) => /^--test-(name-pattern|skip-pattern|only)/.test(option)) ||
  "FAULTS_ONLY" in process.env;

/** Says that tests are for a server. A file of tests that ends without having started it fails: it was not tested with it. */
export function noteWanted(program: string): void {
  if (wanted.size === 0 && !isPart) process.once("exit", complain);
  wanted.add(program);
}

export function noteStarted(command: string): void {
  started.add(basename(command));
}

function complain(): void {
  const missed = [...wanted].filter((program) => !started.has(program));
  if (missed.length === 0) return;
  console.error(`These tests are for ${missed.join(", ")}, and did not start it.`);
  process.exitCode = 1;
}
