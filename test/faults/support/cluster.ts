import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { binaries, removeSoon, run, start, tidyOnExit, unprivileged } from "../../store/postgres.ts";

/** Settings as the server's command line takes them. */
export type Settings = Readonly<Record<string, string | number>>;

export interface ClusterOptions {
  readonly settings?: Settings;
  /** Where the write-ahead log goes, when not with the data. */
  readonly walFolder?: string;
  /** What the server is started with: `ip netns exec …`. */
  readonly prefix?: readonly string[];
  /** Where its data comes from, when not from a new initdb: a base backup, made into the folder that it is given. */
  readonly fill?: (data: string) => Promise<void>;
}

/** A PostgreSQL server of a fault's own, on a unix socket in a folder of its own, to be treated badly. */
export interface Cluster extends AsyncDisposable {
  /** Holds its data and its socket; belongs to the user the server runs as. */
  readonly folder: string;
  readonly data: string;
  start(settings?: Settings): Promise<void>;
  /** As `pg_ctl stop -m immediate`. */
  stop(): Promise<void>;
  /** SIGKILL to the server and every process of it, as when the machine loses its memory but not its disk. */
  kill(): Promise<void>;
  /** Waits until the server has gone by itself. */
  gone(): Promise<void>;
  /** A signal to every process of the server. */
  signal(signal: NodeJS.Signals): void;
  /** Its processes that say this of themselves in the process list, such as `walsender`. */
  processes(title?: string): number[];
  /** Makes an empty database owned by the plain user `gleaner`, and returns its name. */
  createDatabase(more?: string): Promise<string>;
  url(database: string, user?: string): string;
  /** SQL as the superuser. */
  sql(database: string, sql: string): Promise<Record<string, unknown>[]>;
  /** A connection as the superuser, to hold something. */
  connect(database: string, user?: string): Promise<pg.Client>;
  /** The server's log so far. */
  log(): string;
  /** A command of the server's, as its user. */
  run(program: string, args: readonly string[]): Promise<string>;
}

const PATIENCE_MS = 20_000;
/** No power is cut here, and what a killed process has written stays in the kernel; so there is no need to wait for a disk. */
const QUICK: Settings = { fsync: "off", shared_buffers: "32MB", max_connections: 30, listen_addresses: "" };

let template: Promise<string> | undefined;

/** One initdb for all clusters of a process: it takes a second. */
function initialised(prefix: readonly string[], parent: string): Promise<string> {
  const data = join(parent, "template");
  const init = join(binaries() ?? "", "initdb");
  return run(prefix, init, ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]).then(
    () => data,
  );
}

async function templateFolder(): Promise<string> {
  template ??= (async () => {
    const parent = await mkdtemp(join(tmpdir(), "gleaner-template-"));
    process.once("exit", () => removeSoon(parent));
    return await initialised(await unprivileged(parent), parent);
  })();
  return await template;
}

async function fillData(data: string, { fill, walFolder }: ClusterOptions, prefix: readonly string[]): Promise<void> {
  if (fill) return await fill(data);
  await cp(await templateFolder(), data, { recursive: true, preserveTimestamps: true });
  if (walFolder) {
    await run([], "mv", [join(data, "pg_wal"), join(walFolder, "pg_wal")]);
    await run([], "ln", ["-s", join(walFolder, "pg_wal"), join(data, "pg_wal")]);
  }
  if (prefix.length > 0) await run([], "chown", ["-R", "postgres:postgres", data, ...(walFolder ? [walFolder] : [])]);
  await chmod(data, 0o700);
}

/** Prepares a cluster without starting it. */
export async function prepareCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const bin = binaries() ?? "";
  const folder = await mkdtemp(join(tmpdir(), "gleaner-cluster-"));
  // Clients of any user come to the socket.
  await chmod(folder, 0o755);
  const prefix = await unprivileged(folder);
  const data = join(folder, "data");
  await fillData(data, options, prefix);
  let server: ChildProcess | undefined;
  let said = "";
  let databases = 0;
  let exited: Promise<void> = Promise.resolve();
  const all = () => (server?.pid === undefined ? [] : familyOf(server.pid));
  const signal = (name: NodeJS.Signals) => {
    for (const pid of all()) kill(pid, name);
  };
  const stayTidy = tidyOnExit(() => {
    signal("SIGKILL");
    removeSoon(folder);
  });
  const port = Number(options.settings?.["port"] ?? 5432);
  const url = (database: string, user = "gleaner") =>
    `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(folder)}`;

  async function connect(database: string, user = "postgres"): Promise<pg.Client> {
    const client = new pg.Client({ host: folder, port, user, database });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async function sql(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = await connect(database);
    try {
      const result = await client.query(text);
      return result.rows ?? [];
    } finally {
      await client.end();
    }
  }

  async function startServer(settings: Settings = {}): Promise<void> {
    const merged = { ...QUICK, unix_socket_directories: folder, ...options.settings, ...settings };
    const args = Object.entries(merged).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const child = start([...(options.prefix ?? []), ...prefix], join(bin, "postgres"), ["-D", data, ...args]);
    server = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    exited = new Promise((resolve) => child.once("exit", () => resolve()));
    await answering(
      () => sql("postgres", "select 1"),
      () => child.exitCode !== null || child.signalCode !== null,
      () => said,
    );
  }

  return {
    ...{ folder, data, url, sql, connect, signal },
    start: startServer,
    async stop() {
      if (server?.pid !== undefined) kill(server.pid, "SIGQUIT");
      await exited;
      server = undefined;
    },
    async kill() {
      const pids = all();
      for (const pid of pids) kill(pid, "SIGKILL");
      await exited;
      // A new server refuses to start while a process of the old one still has its shared memory.
      while (pids.some(isAlive)) await sleep(2);
      server = undefined;
    },
    async gone() {
      await exited;
      server = undefined;
    },
    processes: (title = "") => all().filter((pid) => titleOf(pid).includes(title)),
    async createDatabase(more = "") {
      const name = `fault_${++databases}`;
      await sql("postgres", "do $$ begin create role gleaner login; exception when duplicate_object then null; end $$");
      await sql("postgres", `create database ${name} owner gleaner ${more}`);
      return name;
    },
    log: () => said,
    run: (program, args) => run(prefix, join(bin, program), args),
    async [Symbol.asyncDispose]() {
      signal("SIGCONT");
      signal("SIGKILL");
      await exited;
      stayTidy();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Prepares a cluster and starts it. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await prepareCluster(options);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

async function answering(ask: () => Promise<unknown>, hasEnded: () => boolean, said: () => string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (hasEnded() || performance.now() > end)
        throw new Error(`the server did not start: ${said()}`, { cause: error });
    }
    await sleep(15);
  }
}

/** A process and its children; PostgreSQL's have none of their own. */
function familyOf(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => statOf(candidate)?.parent === pid);
  // Programs that it was started through are replaced by it; those that are not have it as their child.
  const inner = children.flatMap((child) => (titleOf(pid).startsWith("postgres") ? [] : familyOf(child)));
  return [pid, ...new Set([...children, ...inner])];
}

function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [state = "", parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ", 2)[1]?.split(" ") ?? [];
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Neither gone nor only waiting to be noticed. */
const isAlive = (pid: number) => !["Z", undefined].includes(statOf(pid)?.state);

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone in between.
  }
}
