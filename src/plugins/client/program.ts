import { spawn } from "node:child_process";
import { constants } from "node:os";
import { z } from "zod";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "./abort.ts";

/** How a program ended and what it wrote. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs that report on a host write some 100 kB; nothing else bounds what one writes. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Nothing of gleaner's own environment, which may hold secrets; and text in English, with a point in numbers. */
const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin:/run/opengl-driver/bin",
  LC_ALL: "C",
  TZ: "UTC",
};

/** A configuration field for a program and the arguments before gleaner's own: `[sudo, -n, smartctl]`. */
export const command = z
  .array(
    z
      .string()
      .min(1)
      .max(4096)
      .regex(/^[^\0]*$/, { error: "expected a program or an argument" }),
  )
  .min(1)
  .max(16);

/**
 * Runs a program to its end, without a shell. Exit codes are the caller's to judge.
 * @throws {CollectError} unreachable when it cannot be started or a signal ended it, bad_data when it writes too much;
 * the signal's reason when it aborts, and then the program is killed
 */
export async function runProgram(
  [program = "", ...first]: readonly string[],
  args: readonly string[],
  signal: AbortSignal,
): Promise<Finished> {
  signal.throwIfAborted();
  const child = spawn(program, [...first, ...args], { env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  const end = () => {
    child.kill("SIGKILL");
    // A child of it that lives on must not hold the run by its open ends.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return untilAborted(
    signal,
    end,
    () =>
      new Promise<Finished>((resolve, reject) => {
        const written = { stdout: "", stderr: "" };
        let size = 0;
        for (const stream of ["stdout", "stderr"] as const) {
          child[stream].setEncoding("utf8").on("data", (text: string) => {
            size += text.length;
            if (size <= MAX_BYTES) written[stream] += text;
            else {
              end();
              reject(new CollectError("bad_data", `${program} writes more than ${MAX_BYTES} bytes`));
            }
          });
        }
        child.once("error", (error) => reject(notStarted(program, error)));
        child.once("close", (code, name) => {
          if (code !== null) resolve({ code, ...written });
          else reject(new CollectError("unreachable", `${program} was ended by ${name} (${numberOf(name)})`));
        });
      }),
  );
}

const numberOf = (name: NodeJS.Signals | null): number | string => (name === null ? "?" : constants.signals[name]);

function notStarted(program: string, error: NodeJS.ErrnoException): CollectError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `${program} is not installed on this host`,
    EACCES: `${program} may not be run by the user that gleaner runs as`,
  };
  const reason = reasons[error.code ?? ""] ?? `${program} cannot be started (${error.code ?? "unknown error"})`;
  return new CollectError("unreachable", reason, { cause: error });
}
