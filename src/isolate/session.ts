import { CollectError } from "../model/run.ts";
import type { Child, ChildDeps } from "./child.ts";
import type { Answer, FromChild, LogEntry, Question } from "./messages.ts";
import { createPulse } from "./pulse.ts";
import { createRestarts } from "./restarts.ts";

/** A process has this long to load its plugin (ms): 200 ms are usual, and a machine that has too much to do takes seconds. */
const START_MS = 30_000;
/** A run that was told to stop has this long to do so (ms); then its process is ended. */
const GRACE_MS = 1_000;
/** A process that was hung up on has this long to end by itself (ms). */
const LEAVE_MS = 300;

/** One of the process's answers, by its type. */
type AnswerOf<T extends Answer["type"]> = Extract<Answer, { type: T }>;

export interface SessionDeps {
  /** The question that a new process is asked first; what it declares must stay what it was. */
  readonly start: Extract<Question, { type: "start" }>;
  readonly startChild: (on: Pick<ChildDeps, "onMessage">) => Child;
  /** Most resident memory (bytes). */
  readonly memory: number;
  readonly monotonic: () => number;
  readonly onLog: (entry: LogEntry) => void;
  /** Called when a process is gone that nobody had asked to leave. */
  readonly onLost: (why: string) => void;
  readonly onRestart: () => void;
}

/** A plugin's process as those see it who ask it something: one after another, for each that is lost. */
export interface Session {
  /**
   * Asks, and waits for the answer. When the signal aborts the process is told, and ended when it goes on all the same.
   * @throws {CollectError} bug, when the process is gone, or was lost too often of late to be started again already
   */
  ask<T extends Answer["type"]>(type: T, question: Question, signal?: AbortSignal): Promise<AnswerOf<T>>;
  isRunning(): boolean;
  /** Ends the process, if there is one, and never starts another. */
  close(): Promise<void>;
}

interface Waiting {
  readonly type: Answer["type"];
  readonly answered: PromiseWithResolvers<Answer>;
}

interface Current {
  readonly child: Child;
  readonly waiting: Map<number, Waiting>;
  readonly ready: Promise<unknown>;
}

export function createSession(deps: SessionDeps): Session {
  const restarts = createRestarts(deps.monotonic);
  let current: Current | undefined;
  let declared: string | undefined;
  let isClosed = false;
  let numbers = 0;

  function receive(child: Child, waiting: Map<number, Waiting>, message: FromChild): void {
    if (message.type === "log") {
      deps.onLog(message);
      return;
    }
    const question = waiting.get(message.n);
    waiting.delete(message.n);
    const isAnswer = question && (question.type === message.type || message.type === "refused");
    if (isAnswer) question.answered.resolve(message);
    else child.kill("it answers what nobody asked");
  }

  function lost(one: Current, why: string): void {
    if (current === one) current = undefined;
    for (const { answered } of one.waiting.values())
      answered.reject(new CollectError("bug", `the plugin's process is gone: ${why}`));
    if (isClosed) return;
    restarts.lost(why);
    deps.onLost(why);
  }

  function put(one: Pick<Current, "child" | "waiting">, type: Answer["type"], question: Question) {
    const n = ++numbers;
    const answered = Promise.withResolvers<Answer>();
    // Nobody may wait for it any more when it fails.
    answered.promise.catch(() => undefined);
    one.waiting.set(n, { type, answered });
    one.child.send({ ...question, n });
    return { n, answer: answered.promise };
  }

  async function declare(one: Pick<Current, "child" | "waiting">): Promise<Answer> {
    const late = setTimeout(() => one.child.kill(`it did not load within ${START_MS / 1_000} s`), START_MS);
    try {
      const answer = await put(one, "declared", deps.start).answer;
      const text = JSON.stringify({ ...answer, n: 0 });
      const changed = declared !== undefined && text !== declared;
      declared ??= answer.type === "declared" ? text : undefined;
      if (!changed) return answer;
      const why = "its files changed: reload gleaner's configuration";
      one.child.kill(why);
      throw new CollectError("bug", why);
    } finally {
      clearTimeout(late);
    }
  }

  function open(): Current {
    if (current) return current;
    if (isClosed) throw new CollectError("bug", "the plugin's process is ended");
    restarts.check();
    if (restarts.count() > 0) deps.onRestart();
    const waiting = new Map<number, Waiting>();
    const child = deps.startChild({ onMessage: (message) => receive(child, waiting, message) });
    const ready = declare({ child, waiting });
    ready.catch(() => undefined);
    const one: Current = { child, waiting, ready };
    current = one;
    const ping = async () => void (await put(one, "pong", { type: "ping" }).answer);
    const pulse = createPulse({ child, memory: deps.memory, ping });
    void child.ended.then((why) => {
      pulse.stop();
      lost(one, why);
    });
    return one;
  }

  /** Tells the process to stop a run, and ends the process when it does not. */
  function stop({ child, waiting }: Current, n: number, reason: unknown): void {
    child.send({ type: "abort", n, reason: reason instanceof Error ? reason.message.slice(0, 500) : "stopped" });
    const end = () => {
      if (waiting.has(n)) child.kill(`a run went on for ${GRACE_MS} ms after it had to stop`);
    };
    setTimeout(end, GRACE_MS).unref();
  }

  return {
    isRunning: () => current !== undefined,
    async ask(type, question, signal) {
      const one = open();
      if (question.type === "start") return (await one.ready) as AnswerOf<typeof type>;
      await one.ready;
      signal?.throwIfAborted();
      const { n, answer } = put(one, type, question);
      const onAbort = () => stop(one, n, signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        return (await answer) as AnswerOf<typeof type>;
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
    },
    async close() {
      isClosed = true;
      if (!current) return;
      const { child } = current;
      child.hangUp();
      const late = setTimeout(() => child.kill("it had to end"), LEAVE_MS);
      await child.ended;
      clearTimeout(late);
    },
  };
}
