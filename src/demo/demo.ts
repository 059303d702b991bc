import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type FaultText, faultHelp } from "./faults.ts";
import type { SimulatedKit } from "./kit-sim.ts";

/** What the demo shows. */
export interface DemoOptions {
  readonly kits: number;
  /** Around each kit; the simulator's defaults when absent. */
  readonly drones?: number;
  readonly aircraft?: number;
  readonly signals?: number;
  readonly seed?: number;
  /** Fault by kit id; when absent, some of the last kits misbehave so that every state can be seen. */
  readonly faults?: Readonly<Record<string, FaultText>>;
}

export interface Demo {
  /** Path of a kits.yaml with the simulated kits. */
  readonly kitsYaml: string;
  readonly kits: readonly SimulatedKit[];
  /** The kits that misbehave at the start, and how. */
  readonly faults: Readonly<Record<string, FaultText>>;
  /** Rejects when the kit or the fault is unknown. */
  setFault(kitId: string, fault: FaultText): Promise<void>;
  /** Ends the simulated kits and removes the file. */
  stop(): Promise<void>;
}

/** In the order in which the last kits get them: offline, error, stale, and three that stay online. */
const SHOWN: readonly FaultText[] = ["refused", "http_500", "frozen_status", "slow:1500", "nan", "no_signals"];
/** How long the process may take to start and to stop (ms). */
const PATIENCE = 10_000;

/** Which kits misbehave unless it is said: at most the second half of them. */
export function shownFaults(kits: number): Record<string, FaultText> {
  const some = SHOWN.slice(0, Math.floor(kits / 2));
  return Object.fromEntries(some.map((fault, i) => [`kit-${String(kits - i).padStart(3, "0")}`, fault]));
}

/** The part of the help text that lists how kits can misbehave. */
export function demoHelp(): string {
  return `Faults of simulated kits (a number after a colon sets what is in brackets):\n${faultHelp()}`;
}

/** Starts simulated kits in a process of their own and writes their kits.yaml. Rejects with what it said if it ends. */
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), "gleaner-demo-"));
  const kitsYaml = join(folder, "kits.yaml");
  const faults = options.faults ?? shownFaults(options.kits);
  const child = spawn(process.execPath, [MAIN, ...argumentsOf(options, faults, kitsYaml)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const replies = repliesOf(child);
  // A process that is gone shows in its answers and in "close"; writing to it, or failing to start it, is no news.
  child.on("error", () => undefined);
  child.stdin?.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ask = (line: string) => {
    child.stdin?.write(`${line}\n`);
    return replies();
  };
  const stop = async () => {
    child.stdin?.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
    await ended;
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { kits } = (await replies()) as { kits: SimulatedKit[] };
    const setFault = async (kit: string, fault: FaultText) => void (await ask(`fault ${kit} ${fault}`));
    return { kitsYaml, kits, faults, setFault, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

function argumentsOf(options: DemoOptions, faults: Readonly<Record<string, string>>, kitsYaml: string): string[] {
  const counts = (["kits", "drones", "aircraft", "signals", "seed"] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name}`, String(options[name])],
  );
  const list = Object.entries(faults).map(([kit, fault]) => `${kit}=${fault}`);
  return [...counts, "--faults", list.join(","), "--kits-yaml", kitsYaml, "--stop-at-eof"];
}

/** Reads the process's answers, one at each call. */
function repliesOf(child: ChildProcess): () => Promise<object> {
  if (!child.stdout) throw new Error("the simulator's output is not read");
  const lines: AsyncIterator<string> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the simulated kits ended before they answered");
    const reply = JSON.parse(value) as { error?: string };
    if (reply.error) throw new Error(reply.error);
    return reply;
  };
}
