import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/gleaner.js", import.meta.url));
/** What the surroundings of the tests may not decide. */
const OURS = /^(GLEANER_|OTEL_|DATABASE_URL$|KITS_CONFIG$|POLL_|STATUS_POLL_|REQUEST_|MAX_|INITIAL_|STALE_|LOG_LEVEL$)/;
/** Starting may take this long on a machine that does much else (ms). */
const START_MS = 30_000;

export type Env = Readonly<Record<string, string | undefined>>;

export interface Place {
  /** Working directory; the configuration is looked for here. */
  readonly cwd: string;
  readonly env?: Env;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** A gleaner in a process of its own; leaving its scope kills it. */
export interface Gleaner extends AsyncDisposable {
  /** Of its web server, without the slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** Everything on standard output so far. */
  screen(): string;
  /** The log so far, line by line. */
  log(): readonly Readonly<Record<string, unknown>>[];
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and how it ended. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** The environment of the tests without anything that configures gleaner. */
function cleanEnv(env: Env): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return { ...Object.fromEntries(inherited), ...env };
}

function launch(args: readonly string[], { cwd, env = {} }: Place) {
  const child = spawn(process.execPath, [BIN, ...args], {
    ...{ cwd, env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"] },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  return { child, output, exited: exitOf(child) };
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

/** Runs a command to its end. */
export async function runGleaner(args: readonly string[], place: Place): Promise<Finished> {
  const { output, exited } = launch(args, place);
  return { ...(await exited), ...output };
}

/** Starts the service on a free port and waits for its screen. Rejects with what it said when it ends instead. */
export async function startGleaner(place: Place, args: readonly string[] = []): Promise<Gleaner> {
  const env = { GLEANER_LISTEN: "127.0.0.1:0", ...place.env };
  const { child, output, exited } = launch(args, { ...place, env });
  const url = await screenUrl(child, output, exited);
  const parsed = () =>
    output.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    ...{ url, exited, screen: () => output.stdout, log: parsed },
    pid: child.pid as number,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    signal: (signal) => void child.kill(signal),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return await exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The address on the start screen, once all of it is there. */
async function screenUrl(child: ChildProcess, output: { stdout: string; stderr: string }, exited: Promise<Exit>) {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const look = () => {
    const url = /serving +(http:\/\/\S+)\/ /.exec(output.stdout)?.[1];
    if (url !== undefined && /Ctrl-C\n/.test(output.stdout)) resolve(url);
  };
  const fail = (what: string) => reject(new Error(`${what}\n${output.stdout}\n${output.stderr}`));
  child.stdout?.on("data", look);
  const timer = setTimeout(() => fail("gleaner did not start in time"), START_MS);
  exited.then(({ code }) => fail(`gleaner ended with ${code} instead of starting`));
  try {
    return await promise;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
    child.stdout?.off("data", look);
  }
}
