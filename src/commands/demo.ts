import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadOptions } from "../config/load.ts";
import { runDemo } from "../demo/demo.ts";
import { type Running, serve } from "../main.ts";

export interface DemoSettings {
  readonly kits: number;
  readonly drones?: number;
  readonly signals?: number;
  readonly seed?: number;
  /** `kit-003=hung,kit-004=http_500`; some of the last kits misbehave when absent. */
  readonly faults?: string;
}

function parseFaults(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text
      .split(",")
      .filter(Boolean)
      .map((pair) => pair.split("=", 2) as [string, string]),
  );
}

/** Starts simulated kits and a gleaner that polls them, in a folder of its own that goes when it stops. */
export async function demo(
  options: LoadOptions,
  settings: DemoSettings,
  print: (text: string) => void,
): Promise<Running> {
  const { faults, ...counts } = settings;
  const chosen = parseFaults(faults);
  const kits = await runDemo({ ...counts, ...(chosen ? { faults: chosen as never } : {}) });
  const folder = await mkdtemp(join(tmpdir(), "gleaner-demo-data-"));
  // Whatever database is configured is for real kits.
  const store = { GLEANER_DATA_DIR: folder, DATABASE_URL: `sqlite:${join(folder, "gleaner.db")}` };
  const env = { ...options.env, KITS_CONFIG: kits.kitsYaml, ...store };
  const clean = async () => {
    await kits.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const running = await serve({ ...options, env }, print);
    const odd = Object.entries(kits.faults).map(([kit, fault]) => `${kit} ${fault}`);
    print(`  ${kits.kits.length} simulated kits${odd.length > 0 ? `, some with a fault: ${odd.join(", ")}` : ""}\n`);
    return {
      url: running.url,
      async stop() {
        await running.stop();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}
