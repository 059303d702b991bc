import type { TemporaryFolder } from "../../support/folder.ts";
import type { Env, Place } from "../../support/process.ts";
import type { Sim } from "../../support/sim.ts";

/** Polling twice a second, and kits that fail are soon asked again. */
const HASTE: Env = {
  POLL_INTERVAL: "500ms",
  STATUS_POLL_INTERVAL: "1s",
  REQUEST_TIMEOUT: "3s",
  MAX_RETRIES: "0",
  INITIAL_BACKOFF: "200ms",
  MAX_BACKOFF: "1s",
};

/** Observations stand for longer than a gleaner needs to be killed and started again. */
export const LASTING = ["--lasting", "12"];

/** Where a gleaner runs that collects from simulated kits and from nothing else. */
export interface Rig {
  /** Lines of gleaner.yaml under `store:`, indented by two. */
  readonly store?: string;
  readonly env?: Env;
}

/** Writes gleaner.yaml into the folder. */
export function rig(folder: TemporaryFolder, sim: Pick<Sim, "yaml">, { store = "", env = {} }: Rig = {}): Place {
  const off = ["disk_monitor", "network_monitor", "system_info"].map((id) => `  ${id}: { enabled: false }`);
  const settings = ["targets:", ...off, "store:", "  batch_timeout: 250ms", ...(store ? [store] : [])];
  folder.write("gleaner.yaml", `${settings.join("\n")}\n`);
  return { cwd: folder.path, env: { ...HASTE, KITS_CONFIG: sim.yaml, ...env } };
}

/** A URL at which no database answers until a cluster's socket directory is linked to it. */
export const absentPostgres = (folder: TemporaryFolder): string =>
  `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder.at("no-socket"))}`;
