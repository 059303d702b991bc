import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A program that runs beside the test, with everything it has printed so far. */
export interface Program {
  output(): string;
  /** Its exit code; null when a signal ended it, or it could not be started. */
  readonly ended: Promise<number | null>;
  /** Waits for text that matches and returns the match; rejects with the output when the program ends or time is over. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it with SIGTERM and returns its exit code; SIGKILL when it does not heed that. */
  stop(): Promise<number | null>;
}

/** How long a program may take to print what is waited for, and to end (ms). */
const PATIENCE = 20_000;
const LOOK_EVERY = 25;

/** Starts a program; it gets this environment only. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Program {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve).once("error", (error) => {
      output += error.message;
      resolve(null);
    });
  });
  return {
    output: () => output,
    ended,
    async printed(pattern) {
      const match = await until(
        () => pattern.exec(output),
        () => isOver(child),
      );
      if (!match) throw new Error(`${command} did not print ${pattern}:\n${output}`);
      return match;
    },
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

/** Runs a program to its end, with this environment only: its exit code, and what it printed on either stream. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = startProgram(command, args, options);
  return { code: await program.ended, output: program.output() };
}

const isOver = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/** Asks again until there is an answer; undefined when there is none in time, or none to come. */
export async function until<T>(
  ask: () => T | null | undefined | Promise<T | null | undefined>,
  hopeless: () => boolean = () => false,
): Promise<T | undefined> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const over = hopeless() || performance.now() > end;
    const answer = await ask();
    if (answer) return answer;
    if (over) return undefined;
    await sleep(LOOK_EVERY);
  }
}

/** Reason to skip a test whose program is not installed, or false. A failure where services are required. */
export function withoutProgram(program: string): string | false {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, program)))) return false;
  const reason = `${program} is not installed`;
  if (process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1") throw new Error(`${reason}, and services are required`);
  return reason;
}
