import closeWithGrace from "close-with-grace";
import { Command, InvalidArgumentError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { explain } from "./commands/failure.ts";
import type { LoadOptions } from "./config/load.ts";
import { demoHelp } from "./demo/demo.ts";
import type { Running } from "./main.ts";

/** Everything has to be finished and stored within this (ms); then the process ends whatever is left. */
const STOP_MS = 10_000;

const print = (text: string) => void process.stdout.write(`${text}\n`);

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("expected a whole number from 1");
  return number;
}

const collected = (value: string, before: readonly string[]): string[] => [...before, value];

/** npm passes on a signal that the terminal has sent to us already: a second one this soon (ms) is the same one. */
const ECHO_MS = 500;

/**
 * Runs until SIGTERM or SIGINT, then stops within ten seconds with what was in flight finished and stored; another
 * signal ends it at once. SIGHUP is left alone: it reloads the configuration.
 */
async function untilStopped(start: () => Promise<Running>): Promise<void> {
  const starting = start();
  const grace = closeWithGrace(
    { delay: STOP_MS, logger: false, skip: ["SIGHUP", "SIGINT", "SIGTERM", "unhandledRejection"] },
    async (why) => {
      if (why.err) process.stderr.write(`${explain(why.err)}\n`);
      await (await starting).stop();
    },
  );
  let asked: number | undefined;
  const onSignal = () => {
    if (asked === undefined) void grace.close();
    else if (performance.now() - asked > ECHO_MS) process.exit(1);
    asked ??= performance.now();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
  await starting.catch((error) => {
    grace.uninstall();
    throw error;
  });
}

/** The command line. Commands load what they need when they run, so that --help does not load a database driver. */
function program(): Command {
  const cli = new Command("gleaner")
    .description("Collects from this host and from field kits, keeps every row, and serves Prometheus.")
    .version(packageJson.version)
    .option("-c, --config <file>", "gleaner.yaml to use (also GLEANER_CONFIG; default ./gleaner.yaml if it exists)")
    .showHelpAfterError("(see gleaner --help)")
    .addHelpText(
      "after",
      "\nWithout configuration it collects from this host into ./data/gleaner.db and serves http://127.0.0.1:9470.\nKits are listed in kits.yaml; see kits.example.yaml, gleaner.example.yaml and docs/configuration.md.",
    );
  const options = (over?: string): LoadOptions => {
    const configPath = over ?? cli.opts<{ config?: string }>().config;
    return { env: process.env, cwd: process.cwd(), ...(configPath === undefined ? {} : { configPath }) };
  };

  cli
    .command("serve", { isDefault: true })
    .description("run the service until SIGTERM or Ctrl-C (what npm start does)")
    // As the default command it also gets every word that is no command.
    .allowExcessArguments()
    .action(async (_settings, { args: [word] }: Command) => {
      if (word !== undefined) cli.error(`error: there is no command ${JSON.stringify(word)}`);
      await untilStopped(async () => (await import("./main.ts")).serve(options(), print));
    });

  cli
    .command("check")
    .argument("[file]", "gleaner.yaml to check")
    .description(
      "check configuration, database, every plugin and every kit for real; exit 1 with the reasons when one fails",
    )
    .option(
      "--artefacts [folder]",
      "instead: the dashboards, provisioning and alert rules in a folder (default: this one)",
    )
    .action(async (file: string | undefined, { artefacts }: { artefacts?: string | true }) => {
      if (artefacts === undefined) return await (await import("./commands/check.ts")).check(options(file), print);
      const folder = artefacts === true ? "." : artefacts;
      (await import("./commands/check-artefacts.ts")).checkArtefactsIn(folder, print);
    });

  cli
    .command("run")
    .argument("<target>", "id of a configured target or kit")
    .option("-j, --job <job>", "only this job of the target")
    .description("collect once, print the samples and rows, store nothing; exit 1 when it fails")
    .action(async (target: string, { job }: { job?: string }) =>
      (await import("./commands/run.ts")).runOnce(options(), target, job, print),
    );

  cli
    .command("jobs")
    .description(
      "list the jobs of the gleaner that runs here: next run, last outcome (GLEANER_TOKEN where it needs one)",
    )
    .action(async () => (await import("./commands/lists.ts")).listJobs(options(), print));

  cli
    .command("migrate")
    .description("bring the database up to date and exit (serve does it too)")
    .action(async () => (await import("./commands/migrate.ts")).migrateStore(options(), print));

  cli
    .command("generate")
    .argument("<folder>", "where to: prometheus/ and grafana/alerting/ are made in it")
    .option("--alerts <file>", "alerts.yaml with conditions of your own; alerts.example.yaml is a start")
    .option("--database", "conditions of your own that are rows of the table alerts")
    .option("--built-in", "also the rules that come with gleaner, for links to your own copy of the runbooks")
    .option("--runbooks <url>", "where docs/runbooks.md is served, for the links of alerts")
    .description("write alert rules for Prometheus and Grafana; exit 1 with every mistake, and nothing written")
    .action(async (folder: string, settings) =>
      (await import("./commands/generate.ts")).generate(options(), folder, settings, print),
    );

  const plugins = cli.command("plugins").description("plugins that gleaner comes with, and those of gleaner.yaml");
  plugins
    .command("list")
    .description("list them: id, category, on by default, on now, jobs with their intervals")
    .action(async () => (await import("./commands/lists.ts")).listPlugins(options(), print));
  for (const [word, enabled] of [
    ["enable", true],
    ["disable", false],
  ] as const)
    plugins
      .command(word)
      .argument("<plugin>", "id of a plugin")
      .description(`${word} it in the database; a gleaner that runs heeds it within seconds`)
      .action(async (id: string) =>
        (await import("./commands/plugins/settings.ts")).changePlugin(options(), id, { enabled }, print),
      );
  plugins
    .command("config")
    .argument("<plugin>", "id of a plugin")
    .option(
      "--set <setting=value>",
      "collection_interval=30, config.port=6380, tags.rack=a1; may be repeated",
      collected,
      [],
    )
    .option("--reset", "back to what gleaner.yaml says")
    .description("show or change its settings in the database; a gleaner that runs heeds it within seconds")
    .action(async (id: string, settings: { set: string[]; reset?: true }) =>
      (await import("./commands/plugins/settings.ts")).configurePlugin(options(), id, settings, print),
    );
  plugins
    .command("validate")
    .argument("<files...>", "plugin files, such as src/plugins/*.ts, or packages")
    .description("load each file (which runs it) and hold it to the contract; exit 1 with file:line: for every mistake")
    .action(async (files: string[]) => (await import("./commands/plugins/validate.ts")).validatePlugins(files, print));
  plugins
    .command("test")
    .argument("<plugin>", "id of a plugin, or the file of one of your own")
    .option("-n, --iterations <n>", "how many times", positive, 1)
    .option("-i, --interval <duration>", "wait between two iterations", "1s")
    .option("-j, --job <job>", "only this job")
    .option("--settings <file>", "YAML with the plugin's own settings, instead of those in gleaner.yaml")
    .option(
      "--set <setting=value>",
      "a single setting of the plugin, as YAML: 'paths=[/a, /b]'; may be repeated",
      collected,
      [],
    )
    .description("run one for real and print its metrics with the time each run took; exit 1 when it fails")
    .action(async (plugin: string, settings) =>
      (await import("./commands/plugins/test.ts")).testPlugin(options(), plugin, settings, print),
    );
  plugins
    .command("new")
    .argument("<id>", "its id, such as weather_station")
    .option("--external", "instead: plugins/<id>.ts, for gleaner.yaml to name")
    .description("write a new plugin and its first case into this working copy; both pass as they are")
    .action(async (id: string, { external }: { external?: true }) => {
      const { newExternalPlugin, newPlugin } = await import("./commands/plugins/new.ts");
      await (external ? newExternalPlugin : newPlugin)(process.cwd(), id, print);
    });

  const kits = cli.command("kits").description("field kits");
  kits
    .command("list")
    .description("list the configured kits with what the database last knew of them")
    .action(async () => (await import("./commands/lists.ts")).listKits(options(), print));

  const agents = cli.command("agents").description("programs elsewhere that report by themselves (docs/agents.md)");
  agents
    .command("add")
    .argument("<id>", "its id: the label `target` of its series")
    .option("-p, --plugin <kind>", "what kind of agent it is", "agent")
    .option("-n, --name <name>", "a name for people")
    .option("-e, --expires <duration>", "how long its key is good for", "90d")
    .description("make an agent known and print its key, this once; a gleaner that runs heeds it within seconds")
    .action(async (id: string, settings: { plugin: string; expires: string; name?: string }) =>
      (await import("./commands/agents.ts")).addAgent(options(), { id, ...settings }, print),
    );
  agents
    .command("list")
    .description("list them: state of the key, what they declared")
    .action(async () => (await import("./commands/agents.ts")).listAgents(options(), print));
  agents
    .command("renew")
    .argument("<id>", "id of an agent")
    .option("-e, --expires <duration>", "how long the new key is good for", "90d")
    .description("give it another key and print that, this once; the one before is good for nothing within seconds")
    .action(async (id: string, settings: { expires: string }) =>
      (await import("./commands/agents.ts")).renewAgent(options(), id, settings, print),
    );
  agents
    .command("revoke")
    .argument("<id>", "id of an agent")
    .description("its key is good for nothing within seconds, and its series go")
    .action(async (id: string) => (await import("./commands/agents.ts")).revokeAgent(options(), id, print));
  agents
    .command("config")
    .argument("<id>", "id of an agent")
    .argument("<file>", "JSON: an object of at most 100 KB")
    .description("what the agent gets when it asks for its configuration")
    .action(async (id: string, file: string) =>
      (await import("./commands/agents.ts")).configureAgent(options(), id, file, print),
    );

  const letters = cli.command("dead-letter").description("rows that the database refused, each kept with its reason");
  letters
    .command("list")
    .option("-n, --limit <n>", "how many, newest first", positive, 50)
    .description("list them: id, time, table, reason, row")
    .action(async ({ limit }: { limit: number }) =>
      (await import("./commands/dead-letters.ts")).listDeadLetters(options(), limit, print),
    );
  letters
    .command("retry")
    .argument("[id...]", "beginnings of ids, as list shows them")
    .option("--all", "all of them")
    .description("store them again, as after the database was mended; exit 1 when one is refused still")
    .action(async (ids: string[], { all = false }: { all?: boolean }) =>
      (await import("./commands/dead-letters.ts")).retryDeadLetters(options(), { ids, all }, print),
    );
  letters
    .command("drop")
    .argument("[id...]", "beginnings of ids, as list shows them")
    .option("--all", "all of them")
    .description("take them away for good")
    .action(async (ids: string[], { all = false }: { all?: boolean }) =>
      (await import("./commands/dead-letters.ts")).dropDeadLetters(options(), { ids, all }, print),
    );

  cli
    .command("demo")
    .description("start simulated kits with moving drones, aircraft and signals, and a gleaner that polls them")
    .option("-k, --kits <n>", "number of kits", positive, 10)
    .option("--drones <n>", "drones around each kit", positive)
    .option("--signals <n>", "signals around each kit", positive)
    .option("--seed <n>", "another seed, another world", positive)
    .option("--faults <list>", "kits that misbehave: kit-003=hung,kit-004=http_500 (default: some of the last ones)")
    .addHelpText("after", () => `\n${demoHelp()}`)
    .action((settings) =>
      untilStopped(async () => (await import("./commands/demo.ts")).demo(options(), settings, print)),
    );

  return cli;
}

/** Runs the command line; a failure is one sentence on standard error and exit code 1. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = 1;
  }
}
