import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import type { Duplex } from "node:stream";
import { redactSecrets } from "../model/redact.ts";
import { createUnframer, frameOf, MAX_FRAME } from "./frames.ts";
import type { Command } from "./launch.ts";
import { type FromChild, readMessage, type ToChild } from "./messages.ts";
import { readLines } from "./output.ts";
import { createMeter } from "./watch.ts";

/** What a process may send in a second: four answers that are as large as can be, or two thousand small ones. */
const FLOOD = { messages: 2_000, bytes: 4 * MAX_FRAME + 65_536 } as const;
/** What may wait to be read by a process (bytes). */
const MAX_UNREAD = 16 * 1024 * 1024;
/** How long the output of a process that is gone is waited for (ms). */
const OUTPUT_MS = 50;
/** Collecting from others goes first when there is not enough for all. */
const NICENESS = 5;

export interface ChildDeps {
  readonly command: Command;
  /** The whole of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly onMessage: (message: FromChild) => void;
  /** A line that it printed. */
  readonly onLine: (line: string) => void;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
}

/** A plugin's process, with a process group of its own. */
export interface Child {
  readonly pid: number | undefined;
  send(message: ToChild): void;
  /** Ends the whole group at once. */
  kill(why: string): void;
  /** Closes the channel: the process ends by itself, if it still does anything by itself. */
  hangUp(): void;
  /** Resolves when it is gone, with the reason as the end of a sentence. */
  readonly ended: Promise<string>;
}

/** Starts a plugin's process. Whatever it does afterwards is in `ended`; this does not throw. */
export function startChild({ command, env, onMessage, onLine, monotonic }: ChildDeps): Child {
  const child = spawn(command.file, command.args, {
    ...{ env, cwd: "/", detached: true, stdio: ["ignore", "pipe", "pipe", "pipe"] },
  });
  const { pid } = child;
  const ended = Promise.withResolvers<string>();
  const channel = child.stdio[3] as Duplex | undefined;
  let reason: string | undefined;
  /** The last thing it printed that looks like the reason of its end. */
  let said = "";

  /** Everything it started and that stayed in its group goes with it. */
  function killGroup(): void {
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group is gone already.
    }
  }
  function kill(why: string): void {
    reason ??= why;
    killGroup();
  }

  function heard(line: string): void {
    const text = redactSecrets(line);
    if (/^(Uncaught )?\w*(Error|FATAL|fatal)\b/.test(text)) said = text.slice(0, 200);
    onLine(text);
  }

  const meter = createMeter(FLOOD, monotonic);
  const unframe = createUnframer((json) => {
    if (reason !== undefined) return;
    if (!meter.add(1, 0)) return kill("it sent more messages than can be read");
    onMessage(readMessage(json));
  });
  channel?.on("data", (chunk: Buffer) => {
    if (reason !== undefined) return;
    try {
      if (!meter.add(0, chunk.length)) kill("it sent more than can be read");
      else unframe(chunk);
    } catch {
      kill("it sent what is no message");
    }
  });
  channel?.on("error", () => undefined);
  for (const stream of [child.stdout, child.stderr]) if (stream) readLines(stream, heard);
  if (pid !== undefined) lower(pid);
  child.once("error", (error) => ended.resolve(`it cannot be started: ${error.message}`));
  const gone = (code: number | null, signal: NodeJS.Signals | null) => {
    for (const stream of child.stdio) stream?.destroy();
    ended.resolve(reason ?? `${exitText(code, signal)}${said && `: ${said}`}`);
  };
  child.once("exit", (code, signal) => {
    killGroup();
    // What it printed last is still on its way; something that left its group may keep its output open for ever.
    setTimeout(gone, OUTPUT_MS, code, signal);
  });
  return {
    pid,
    kill,
    ended: ended.promise,
    hangUp: () => void channel?.end(),
    send(message) {
      if (!channel?.writable) return;
      channel.write(frameOf(JSON.stringify(message)));
      if (channel.writableLength > MAX_UNREAD) kill("it reads nothing any more");
    },
  };
}

function lower(pid: number): void {
  try {
    setPriority(pid, NICENESS);
  } catch {
    // It is gone, or has a lower one.
  }
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGABRT") return "it was ended by SIGABRT, as when its memory is used up";
  return signal === null ? `it ended by itself with exit code ${code}` : `it was ended by ${signal}`;
}
