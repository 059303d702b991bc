import type { Socket } from "node:net";
import { CollectError } from "../../model/run.ts";
import { askOverUdp } from "../client/datagram.ts";
import { ConnectError, discard, openTcp, startTls } from "../web/connect.ts";
import { withDeadline } from "../web/deadline.ts";

/** Why a port is not as it should be. */
export const REASONS = [
  "resolve",
  /** The host answers that nobody listens there. */
  "refused",
  /** Any other failure to connect: no route, a network that is down. */
  "unreachable",
  "timeout",
  "tls",
  /** It closed the connection before it said what is expected. */
  "closed",
  /** It said something else. */
  "answer",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Knock {
  readonly host: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly tls: boolean;
  readonly send?: string | undefined;
  readonly expect?: string | undefined;
  readonly timeoutMs: number;
}

export interface Finding {
  readonly failure?: { readonly reason: Reason; readonly detail: string };
  /** Seconds until the connection stood. */
  readonly connectSeconds?: number;
  /** Seconds from then, or from the datagram that was sent, until the answer that is expected. */
  readonly answerSeconds?: number;
}

/** Bytes of an answer that are looked at. */
const MAX_ANSWER = 4_096;

class Unwell extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Tries a port. That it is closed or says something unexpected is what is to be found out.
 * @throws the signal's reason when it aborts
 */
export async function knock(at: Knock, signal: AbortSignal): Promise<Finding> {
  const seconds: { connectSeconds?: number; answerSeconds?: number } = {};
  try {
    await withDeadline(at.timeoutMs, signal, async (own) => {
      if (at.protocol === "udp") seconds.answerSeconds = await timed(() => knockUdp(at, own));
      else await knockTcp(at, seconds, own);
    });
    return seconds;
  } catch (error) {
    signal.throwIfAborted();
    const detail = error instanceof Error ? error.message : String(error);
    return { ...seconds, failure: { reason: reasonOf(error), detail } };
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

function reasonOf(error: unknown): Reason {
  if (error instanceof Unwell) return error.reason;
  if (error instanceof CollectError && error.kind === "timeout") return "timeout";
  const code = error instanceof ConnectError ? error.code : (error as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "refused";
  if (error instanceof ConnectError && error.step !== "connect") return error.step;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "resolve";
  if (code === "ECONNRESET" || code === "EPIPE") return "closed";
  if (typeof code !== "string") throw error;
  return "unreachable";
}

async function knockTcp(at: Knock, seconds: { connectSeconds?: number; answerSeconds?: number }, signal: AbortSignal) {
  const tcp = await openTcp(at, signal);
  seconds.connectSeconds = tcp.times.connect ?? 0;
  try {
    const { socket } = at.tls ? await startTls(tcp, { serverName: at.host }, signal) : tcp;
    if (at.send === undefined && at.expect === undefined) return;
    seconds.answerSeconds = await timed(() => listen(socket, at, signal));
  } finally {
    discard(tcp.socket);
  }
}

/** Sends what is to be sent and reads until the expected text is there. */
async function listen(socket: Socket, { send, expect }: Knock, signal: AbortSignal): Promise<void> {
  const onAbort = () => socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (send !== undefined) socket.write(send);
    let text = "";
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text += chunk.toString("latin1");
      if (matches(text, expect)) return;
      if (text.length >= MAX_ANSWER) break;
    }
    signal.throwIfAborted();
    if (text === "") throw new Unwell("closed", "it closed the connection and said nothing");
    throw new Unwell("answer", "its answer is not as expected");
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function knockUdp({ host, port, send = "", expect }: Knock, signal: AbortSignal): Promise<void> {
  const isExpected = await askOverUdp(
    { host, port },
    Buffer.from(send),
    (answer) => matches(answer.toString("latin1"), expect),
    signal,
  );
  if (!isExpected) throw new Unwell("answer", "its answer is not as expected");
}

/** Bytes are taken for Latin-1: a banner is no text until somebody says so, and so no byte is lost. */
function matches(text: string, expect: string | undefined): boolean {
  return expect === undefined ? text !== "" : new RegExp(expect, "m").test(text.slice(0, MAX_ANSWER));
}
