import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { binaries } from "../../store/postgres.ts";

/** What figures were taken on. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  /** GB. */
  readonly memory: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  /** null where there is none. */
  readonly postgresql: string | null;
}

/** This machine, as it is now. */
export function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cores: cpus().length,
    cpu: cpu?.model.trim() ?? "unknown",
    memory: Math.round(totalmem() / 1e9),
    system: /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    kernel: release(),
    node: process.version.slice(1),
    postgresql: postgresVersion(),
  };
}

function postgresVersion(): string | null {
  const folder = binaries();
  if (!folder) return null;
  const { stdout } = spawnSync(join(folder, "postgres"), ["--version"], { encoding: "utf8" });
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? null;
}
