import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { eventually } from "./eventually.ts";
import { noteStarted } from "./servers/started.ts";

/** A program that runs beside the test. */
interface Program {
  /** Waits for text that matches and returns the match; rejects with the output when none comes. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code; null when a signal ended it, or it could not be started. */
  readonly ended: Promise<number | null>;
  /** Everything it has printed so far, on either stream. */
  output(): string;
  /** Ends it; with SIGKILL when it does not heed SIGTERM. */
  stop(): Promise<void>;
}

interface Place {
  readonly cwd: string;
  /** The whole of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How long a program may take to end (ms). */
const PATIENCE_MS = 20_000;

/** Starts a program. */
export function startProgram(command: string, args: readonly string[], place: Place): Program {
  noteStarted(command);
  const child = spawn(command, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
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
    printed: (pattern) =>
      eventually(() => {
        const match = pattern.exec(output);
        if (!match) throw new Error(`${command} did not print ${pattern}:\n${output}`);
        return match;
      }),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a program to its end. */
export async function runProgram(command: string, args: readonly string[], place: Place) {
  const program = startProgram(command, args, place);
  const code = await program.ended;
  return { code, output: program.output() };
}

/** Debian keeps servers where ordinary users do not look. */
const SERVERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** PATH of a program that may be a server. */
export const SERVER_PATH = [process.env["PATH"] ?? "", ...SERVERS].join(delimiter);

/** Reason to skip a test whose program is not installed, or false. A failure where services are required. */
export function withoutProgram(program: string): string | false {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SERVERS];
  if (folders.some((folder) => existsSync(join(folder, program)))) return false;
  const reason = `${program} is not installed`;
  if (process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1") throw new Error(`${reason}, and services are required`);
  return reason;
}
