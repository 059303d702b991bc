import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { removeSoon, tidyOnExit } from "../../store/postgres.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "./port.ts";
import { noteStarted, noteWanted } from "./started.ts";

/** Where Debian puts servers, which is not in everybody's PATH. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/lib/rabbitmq/bin", "/lib/nut"];

/** Where a program is; undefined where it is not installed. */
function find(program: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SERVER_FOLDERS];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/**
 * Reason to skip the tests on a real server, or false where its program is installed; a failure where services are required.
 * Tests that are not skipped have to start it. docs/plugins.md says by these calls what plugins are tested with.
 */
export function withoutServer(program: string): string | false {
  if (find(program) !== undefined) {
    noteWanted(program);
    return false;
  }
  const reason = `${program} is not installed`;
  if (process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1") throw new Error(`${reason}, and services are required`);
  return reason;
}

/** Where a server of a test's own lives. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

/** How a server is started. */
export interface Recipe {
  readonly program: string;
  readonly args?: (place: Place) => readonly string[];
  /** What to run in the program's place: something that starts it. */
  readonly command?: (place: Place) => readonly [string, readonly string[]];
  /** Added to the environment. */
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** Writes what it needs into its folder first. */
  readonly prepare?: (place: Place) => Promise<void>;
  /** Throws until the server answers; by default until it accepts connections. */
  readonly ready?: (place: Place) => Promise<unknown>;
  /** How long it may take until then (ms). */
  readonly patience?: number;
}

/** A real server, in a folder and on a port of its own. */
export interface Service extends Place, AsyncDisposable {
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** A signal to its process group. */
  signal(signal: NodeJS.Signals): void;
  /** Starts it again after that, in the same place. */
  start(): Promise<void>;
}

/** Resolves when somebody accepts connections. */
export async function accepts({ port }: Pick<Place, "port">): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

/** Starts a server and waits until it is ready. */
export async function startService(recipe: Recipe): Promise<Service> {
  const { program, args = () => [], env, prepare, ready = accepts } = recipe;
  const place = { folder: await mkdtemp(join(tmpdir(), `gleaner-${program}-`)), port: await freePort() };
  await prepare?.(place);
  let end = (_: NodeJS.Signals) => {};
  let exited: Promise<unknown> = Promise.resolve();

  async function start(): Promise<void> {
    let output = "";
    let over = false;
    noteStarted(program);
    // In a group of its own: scripts that start the server proper end with it.
    const [command, given] = recipe.command?.(place) ?? [find(program) ?? program, args(place)];
    const child = spawn(command, given, {
      ...{ cwd: place.folder, detached: true, stdio: ["ignore", "pipe", "pipe"] },
      env: { PATH: process.env["PATH"], HOME: place.folder, ...env?.(place) },
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-10_000);
      });
    exited = new Promise((resolve) => child.once("close", resolve).once("error", resolve)).then(() => {
      over = true;
    });
    end = (signal) => {
      try {
        if (child.pid !== undefined && !over) process.kill(-child.pid, signal);
      } catch {
        // It has gone in between.
      }
    };
    await eventually(async () => {
      if (!over) await ready(place);
    }, recipe.patience);
    if (over) throw new Error(`${program} ended: ${output}`);
  }

  const kill = async () => {
    end("SIGKILL");
    await exited;
  };
  const stayTidy = tidyOnExit(() => {
    end("SIGKILL");
    removeSoon(place.folder);
  });
  const service: Service = {
    ...place,
    ...{ start, kill, signal: (name) => end(name) },
    async [Symbol.asyncDispose]() {
      await kill();
      stayTidy();
      await rm(place.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await start();
  } catch (error) {
    await service[Symbol.asyncDispose]();
    throw error;
  }
  return service;
}
