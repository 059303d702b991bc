import { spawn } from "node:child_process";
import { existsSync, globSync, rmSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

/** A PostgreSQL server of the tests' own: on a unix socket in a temporary directory, with no port and as a rule no durability. */
export interface TestCluster {
  /** Makes an empty database and returns its URL. */
  createDatabase(options?: { owner?: string }): Promise<string>;
  /** Runs SQL as the superuser in the maintenance database. */
  admin(sql: string): Promise<void>;
  stop(): Promise<void>;
}

/** Why the tests on a real server cannot run here, or undefined when they can. A failure where services are required. */
export function whyNoPostgres(): string | undefined {
  if (binaries()) return undefined;
  const reason = "no PostgreSQL server binaries under /usr/lib/postgresql/*/bin";
  if (process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1") throw new Error(`${reason}, and services are required`);
  return reason;
}

/** Initialises and starts a cluster; call `stop` when done. `durable`: with the server's own defaults, as it runs in production. */
export async function startCluster({ durable = false } = {}): Promise<TestCluster> {
  const bin = binaries();
  if (!bin) throw new Error("no PostgreSQL binaries");
  const directory = await mkdtemp(join(tmpdir(), "gleaner-pg-"));
  const user = await unprivileged(directory);
  const data = join(directory, "data");
  await run(user, join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
  const place = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${directory}`];
  const quick = durable ? [] : ["-c", "fsync=off", "-c", "shared_buffers=32MB"];
  const server = start(user, join(bin, "postgres"), ["-D", data, ...place, ...quick]);
  // A log that nobody reads fills its pipe, and then every backend that has something to log stands still.
  server.stdout.resume();
  server.stderr.resume();
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stayTidy = tidyOnExit(() => {
    server.kill("SIGQUIT");
    removeSoon(directory);
  });
  const admin = new pg.Pool({ host: directory, user: "postgres", database: "postgres", max: 1 });
  admin.on("error", () => {});
  await answering(admin);
  let databases = 0;
  return {
    async createDatabase({ owner = "postgres" } = {}) {
      const name = `test_${++databases}`;
      await admin.query(`create database ${name} owner ${owner}`);
      return `postgresql://${owner}@localhost/${name}?host=${encodeURIComponent(directory)}`;
    },
    admin: async (sql) => void (await admin.query(sql)),
    async stop() {
      await admin.end();
      // Immediate: nothing in it is worth a checkpoint.
      server.kill("SIGQUIT");
      await exited;
      stayTidy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Cleans up also when the test is ended before its `stop`: the runner's SIGTERM, an interrupt. @returns what calls that off. */
export function tidyOnExit(cleanUp: () => void): () => void {
  if (untidy.size === 0) process.once("exit", tidy).once("SIGTERM", leave).once("SIGINT", leave);
  untidy.add(cleanUp);
  return () => {
    untidy.delete(cleanUp);
    if (untidy.size === 0) process.off("exit", tidy).off("SIGTERM", leave).off("SIGINT", leave);
  };
}

/** What is left to clean up in this process: one listener for all, as many servers as a test may have. */
const untidy = new Set<() => void>();
const leave = () => process.exit(1);
function tidy(): void {
  for (const cleanUp of untidy) cleanUp();
}

/** The server still writes while it goes down, and nothing can be awaited any more. */
export function removeSoon(directory: string): void {
  for (let attempt = 0; existsSync(directory) && attempt < 40; attempt++) {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
    }
  }
}

/** Where the newest server's programs are. */
export function binaries(): string | undefined {
  return globSync("/usr/lib/postgresql/*/bin")
    .filter((bin) => existsSync(join(bin, "initdb")))
    .sort((a, b) => b.localeCompare(a, undefined, { numeric: true }))[0];
}

/** PostgreSQL refuses to run as root: then everything runs as the user `postgres`, who gets the directory. */
export async function unprivileged(directory: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const id = Number(await run([], "id", ["-u", "postgres"]));
  const group = Number(await run([], "id", ["-g", "postgres"]));
  await chown(directory, id, group);
  return ["setpriv", `--reuid=${id}`, `--regid=${group}`, "--clear-groups"];
}

/** Starts a program of the server. */
export function start(prefix: readonly string[], command: string, args: readonly string[]) {
  const [program, ...rest] = [...prefix, command, ...args];
  return spawn(program as string, rest, { stdio: ["ignore", "pipe", "pipe"], cwd: tmpdir() });
}

/** Runs a program of the server to its end and returns what it said. */
export async function run(prefix: readonly string[], command: string, args: readonly string[]): Promise<string> {
  const child = start(prefix, command, args);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`);
  return output;
}

async function answering(pool: pg.Pool): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await pool.query("select 1");
      return;
    } catch (error) {
      if (attempt >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
