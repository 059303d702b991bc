/**
 * Simulated kits in a process of their own: starts them, prints one JSON line `{"ready":true,"kits":[…]}`, and then
 * answers each command line on standard input with one JSON line. `--help` says the rest.
 */
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type FaultText, faultHelp } from "./faults.ts";
import { type KitSim, type KitSimOptions, startKits } from "./kit-sim.ts";
import { kitsYaml } from "./kits-yaml.ts";

const HELP = `Usage: node src/demo/main.ts [options]

Simulated field kits that speak DragonSync's HTTP/1.0, one port each.

  --kits N           how many [10]
  --drones N         drones around each kit [6]
  --aircraft N       aircraft around each kit [3]
  --signals N        radio signals around each kit [4]
  --seed N           the same seed gives the same world [1]
  --fresh            every track is always there, and new at every poll
  --lasting S        every observation stands at least so many seconds
  --faults LIST      kit=fault, comma separated: 3=slow,4=http_503,5=slow:500 (3 is kit-003)
  --base-port N      port of kit-001, the others follow; any free ports when 0 [0]
  --no-rate-limit    answer more than 100 requests a minute
  --ledger FILE      append a JSON line for every row that was completely sent
  --fsync            have the ledger on disk at every flush
  --kits-yaml FILE   write the kits as a kits.yaml
  --stop-at-eof      stop when standard input ends

Commands on standard input: fault KIT FAULT · stats · flush · stop

Faults:
${faultHelp()}
`;

const OPTIONS = {
  kits: { type: "string", default: "10" },
  drones: { type: "string" },
  aircraft: { type: "string" },
  signals: { type: "string" },
  seed: { type: "string" },
  fresh: { type: "boolean" },
  lasting: { type: "string" },
  faults: { type: "string", default: "" },
  "base-port": { type: "string" },
  "no-rate-limit": { type: "boolean" },
  ledger: { type: "string" },
  fsync: { type: "boolean" },
  "kits-yaml": { type: "string" },
  "stop-at-eof": { type: "boolean" },
  help: { type: "boolean" },
} as const;

const args = () => parseArgs({ options: OPTIONS }).values;

/** `3` and `kit-003` are the same kit. */
function kitId(text: string): string {
  return /^\d+$/.test(text) ? `kit-${text.padStart(3, "0")}` : text;
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text !== undefined && !/^\d+$/.test(text))
    throw new RangeError(`--${name}: expected a whole number, got ${text}`);
  return text === undefined ? undefined : Number(text);
}

function simOptions(values: ReturnType<typeof args>): KitSimOptions {
  const { fresh, fsync, ledger } = values;
  const count = (name: "kits" | "drones" | "aircraft" | "signals" | "seed" | "base-port" | "lasting") =>
    whole(name, values[name]);
  const faults = values.faults
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => pair.split("=", 2) as [string, FaultText]);
  return {
    ...{ count: count("kits") ?? 0, drones: count("drones"), aircraft: count("aircraft"), signals: count("signals") },
    ...{ seed: count("seed"), basePort: count("base-port"), rateLimit: !values["no-rate-limit"] },
    faults: Object.fromEntries(faults.map(([kit, fault]) => [kitId(kit), fault ?? ""])),
    ...{ fresh, fsync, ledger, lasting: (count("lasting") ?? 0) * 1_000 },
  };
}

/** Carries out one command line; what it returns is printed. */
async function command(sim: KitSim, line: string): Promise<object> {
  const [verb, ...words] = line.trim().split(/\s+/);
  if (verb === "stats") return sim.stats();
  if (verb === "flush") return sim.flush().then(() => ({ ok: true }));
  if (verb !== "fault")
    throw new RangeError(`unknown command ${JSON.stringify(verb)}; there are: fault, stats, flush, stop`);
  await sim.setFault(kitId(words[0] ?? ""), (words[1] ?? "") as FaultText);
  return { ok: true };
}

const print = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function main(): Promise<void> {
  const values = args();
  if (values.help) return void process.stdout.write(HELP);
  const sim = await startKits(simOptions(values));
  const commands = createInterface({ input: process.stdin });
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    commands.close();
    process.stdin.unref?.();
    await sim.close();
    print({ stopped: true });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
  if (values["kits-yaml"]) await writeFile(values["kits-yaml"], kitsYaml(sim.kits));
  print({ ready: true, kits: sim.kits });
  if (values["stop-at-eof"]) commands.once("close", stop);
  for await (const line of commands) {
    if (line.trim() === "stop") return stop();
    await command(sim, line).then(print, (error: Error) => print({ error: error.message }));
  }
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
