import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { FaultText } from "../../src/demo/faults.ts";
import type { SimStats, SimulatedKit } from "../../src/demo/kit-sim.ts";
import { type LedgerEntry, readLedger } from "../../src/demo/ledger.ts";
import type { TemporaryFolder } from "./folder.ts";
import { somePorts } from "./servers/port.ts";

const MAIN = fileURLToPath(new URL("../../src/demo/main.ts", import.meta.url));

/** Simulated kits in a process of their own; leaving its scope ends it. */
export interface Sim extends AsyncDisposable {
  readonly pid: number;
  readonly kits: readonly SimulatedKit[];
  /** Their kits.yaml. */
  readonly yaml: string;
  setFault(kit: string, fault: FaultText): Promise<void>;
  /** What the kits did so far. */
  stats(): Promise<SimStats>;
  /** Every row that was sent whole so far, once. */
  ledger(): Promise<LedgerEntry[]>;
}

export interface SimSettings {
  readonly kits: number;
  /** Something new at every poll; true when absent, else each observation stands for a while as with real kits. */
  readonly fresh?: boolean;
  /** By kit id. */
  readonly faults?: Readonly<Record<string, FaultText>>;
  /** More of the simulator's options. */
  readonly args?: readonly string[];
}

/** How often another place is looked for when one of the ports is taken. */
const TRIES = 5;

/** Starts kits that answer as often as they are asked, with something new each time. */
export async function startSim(folder: TemporaryFolder, settings: SimSettings): Promise<Sim> {
  for (let left = TRIES; ; left--)
    try {
      return await startAt(somePorts(settings.kits), folder, settings);
    } catch (error) {
      if (left === 1) throw error;
    }
}

/**
 * On ports that the system gives nobody: a kit that refuses connections has closed its own, and another test's kit with
 * that port would be asked in its place.
 */
async function startAt(
  basePort: number,
  folder: TemporaryFolder,
  { kits, fresh = true, faults = {}, args = [] }: SimSettings,
): Promise<Sim> {
  const [yaml, ledger] = [folder.at("simulated-kits.yaml"), folder.at("ledger")];
  const list = Object.entries(faults).map(([kit, fault]) => `${kit}=${fault}`);
  const files = ["--kits-yaml", yaml, "--ledger", ledger, "--faults", list.join(",")];
  const options = [
    "--kits",
    String(kits),
    "--base-port",
    String(basePort),
    ...(fresh ? ["--fresh"] : []),
    "--no-rate-limit",
    ...files,
    ...args,
  ];
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const reply = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the simulated kits ended before they answered");
    const said = JSON.parse(value) as { error?: string } & Record<string, unknown>;
    if (said.error !== undefined) throw new Error(said.error);
    return said;
  };
  const ask = (command: string) => {
    child.stdin.write(`${command}\n`);
    return reply();
  };
  const started = (await reply())["kits"] as SimulatedKit[];
  return {
    ...{ pid: child.pid ?? 0, kits: started, yaml },
    setFault: async (kit, fault) => void (await ask(`fault ${kit} ${fault}`)),
    stats: async () => (await ask("stats")) as unknown as SimStats,
    async ledger() {
      await ask("flush");
      return await readLedger(ledger);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
