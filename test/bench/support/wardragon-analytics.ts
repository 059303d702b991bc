import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Collector, Scene } from "./kits-into-postgres.ts";

/** It closes a session for each kit before it ends (ms). */
const STOP_MS = 5_000;

/** Tables, columns and indexes; what else its SQL has is about TimescaleDB, or other programs than its collector. */
const IS_WANTED = /^\s*(create table|alter table \w+\s+add column|create (unique )?index)/i;
const IS_OF_TIMESCALE = /timescaledb|_hourly/i;

/**
 * Starts the Python collector of WarDragon Analytics (app/collector.py) from a checkout with its requirements in venv/, in a
 * database with its tables: without hypertables, as gleaner's are in this bench.
 */
export async function startWarDragonAnalytics(checkout: string, { folder, sim, url }: Scene): Promise<Collector> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  for (const file of globSync(join(checkout, "timescaledb", "*.sql")).sort())
    for (const statement of readFileSync(file, "utf8")
      .replaceAll(/--.*$/gm, "")
      .split(/;\s*\n/))
      if (IS_WANTED.test(statement) && !IS_OF_TIMESCALE.test(statement)) await pool.query(statement);
  await pool.end();
  const [name, host] = [new URL(url).pathname.slice(1), new URL(url).searchParams.get("host") ?? ""];
  const env = {
    ...{ PATH: process.env["PATH"], KITS_CONFIG: sim.yaml, USE_DB_KITS: "false" },
    DATABASE_URL: `postgresql://postgres@/${name}?host=${host}`,
  };
  const child = spawn(join(checkout, "venv/bin/python"), [join(checkout, "app/collector.py")], {
    ...{ cwd: folder.path, stdio: "ignore", env },
  });
  const exited = once(child, "close");
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await Promise.race([exited, sleep(STOP_MS)]);
      await kill();
    },
    [Symbol.asyncDispose]: kill,
  };
}
