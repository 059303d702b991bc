import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type AgentRegistry, createAgentRegistry } from "../app/agents.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { storeOptions } from "../config/store-options.ts";
import type { AgentAnswer } from "../http/app/agents.ts";
import { externalId } from "../model/external.ts";
import type { Logger } from "../model/plugin.ts";
import { plugins } from "../plugins/registry.gen.ts";
import { withAgentRows } from "../store/inspect.ts";
import { CommandFailure } from "./failure.ts";
import { table, when } from "./table.ts";

const NO_TABLE = "The database has no table of agents yet: start gleaner once, or run `gleaner migrate`.";
const HEEDED = "A gleaner that runs heeds it within seconds.";

type Print = (text: string) => void;

/** A database that fails is a failure of the command, and no line of a log. */
const failing: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields) => {
    throw "err" in fields ? fields.err : new CommandFailure(NO_TABLE);
  },
  error: () => {},
};

/** Does something with the agents that the database knows. */
async function withAgents<T>(options: LoadOptions, work: (agents: AgentRegistry) => Promise<T>): Promise<T> {
  const config = loadConfig(options);
  const taken = new Set([...plugins.map(({ id }) => id), ...config.external_plugins.map(externalId)]);
  const done = await withAgentRows(storeOptions(config).url, async (rows) => {
    const agents = createAgentRegistry({
      ...{ store: () => rows, plugins: taken, environment: config.environment },
      ...{ changed: async () => {}, now: () => new Date(), log: failing },
    });
    await agents.poll();
    return { value: await work(agents) };
  });
  if (!done) throw new CommandFailure(NO_TABLE);
  return done.value;
}

/** @throws {CommandFailure} with the reasons when it was not done */
function bodyOf(answer: AgentAnswer, id: string): Readonly<Record<string, unknown>> {
  if (answer.status === "done") return answer.body as Record<string, unknown>;
  if (answer.status === "unknown")
    throw new CommandFailure(`There is no agent ${id}; \`gleaner agents list\` lists them.`);
  throw new CommandFailure(answer.problems.join("\n"));
}

function printKey(id: string, { key, expiresAt }: Readonly<Record<string, unknown>>, print: Print): void {
  print(`The key of ${id}, good until ${when(expiresAt as Date)} UTC. It is shown this once:\n${key}\n${HEEDED}`);
}

/** Makes an agent known and prints its key. */
export async function addAgent(
  options: LoadOptions,
  wanted: { readonly id: string; readonly plugin: string; readonly expires: string; readonly name?: string },
  print: Print,
): Promise<void> {
  printKey(wanted.id, bodyOf(await withAgents(options, (agents) => agents.add(wanted)), wanted.id), print);
}

/** Gives an agent another key and prints that. */
export async function renewAgent(
  options: LoadOptions,
  id: string,
  wanted: { readonly expires: string },
  print: Print,
): Promise<void> {
  printKey(id, bodyOf(await withAgents(options, (agents) => agents.renew(id, wanted)), id), print);
}

/** Makes an agent's key good for nothing. */
export async function revokeAgent(options: LoadOptions, id: string, print: Print): Promise<void> {
  bodyOf(await withAgents(options, (agents) => agents.revoke(id)), id);
  print(`The key of ${id} is revoked. ${HEEDED}`);
}

/** Sets what an agent gets when it asks for its configuration. */
export async function configureAgent(options: LoadOptions, id: string, file: string, print: Print): Promise<void> {
  const path = resolve(options.cwd, file);
  const text = await readFile(path, "utf8").catch(() => {
    throw new CommandFailure(`${file} cannot be read.`);
  });
  bodyOf(await withAgents(options, (agents) => agents.configure(id, parsed(text, file))), id);
  print(`${id} gets that when it asks next. ${HEEDED}`);
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandFailure(`${file} is no JSON.`);
  }
}

/** Every agent, with the state of its key and what it declared. */
export async function listAgents(options: LoadOptions, print: Print): Promise<void> {
  const agents = await withAgents(options, async (known) => known.list());
  if (agents.length === 0) return print("There are no agents; `gleaner agents add <id>` makes one known.");
  const rows = agents.map(({ id, plugin, state, expiresAt, interval, metrics, name }) => [
    ...[id, plugin, state, when(expiresAt), interval ?? "", String(metrics.length), name],
  ]);
  print(table(["AGENT", "PLUGIN", "STATE", "KEY EXPIRES", "INTERVAL", "METRICS", "NAME"], rows));
}
