import { setTimeout as sleep } from "node:timers/promises";
import { CollectError } from "../../model/run.ts";
import { runProgram } from "../client/program.ts";
import { ConnectError, discard, openTcp } from "../web/connect.ts";
import { withDeadline } from "../web/deadline.ts";
import { type Pinged, parsePing } from "./parse.ts";

/** Why a host is not up. */
export const REASONS = ["no_reply", "unreachable", "resolve", "not_permitted"] as const;
export type Reason = (typeof REASONS)[number];

export interface Asking {
  readonly command: readonly string[];
  readonly host: string;
  readonly method: "auto" | "icmp" | "tcp";
  readonly tcpPort: number;
  readonly count: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
}

export interface Echo extends Pick<Pinged, "times" | "ttl"> {
  readonly sent: number;
  readonly overTcp: boolean;
  readonly failure?: { readonly reason: Reason; readonly detail: string };
}

/**
 * Pings a host. That it does not answer is what is to be found out.
 * @throws the signal's reason when it aborts
 */
export async function echo(asking: Asking, signal: AbortSignal): Promise<Echo> {
  if (asking.method === "tcp") return overTcp(asking, signal);
  const answered = await overIcmp(asking, signal);
  return answered.failure?.reason === "not_permitted" && asking.method === "auto" ? overTcp(asking, signal) : answered;
}

async function overIcmp(
  { command, host, count, intervalSeconds, timeoutSeconds }: Asking,
  signal: AbortSignal,
): Promise<Echo> {
  const none = { sent: 0, times: [], overTcp: false };
  try {
    const settings = ["-n", "-c", String(count), "-i", String(intervalSeconds), "-W", String(timeoutSeconds)];
    const { stdout, stderr } = await runProgram(command, [...settings, host], signal);
    const pinged = parsePing(stdout);
    if (pinged === undefined) return { ...none, failure: { reason: spokenReason(stderr), detail: firstLine(stderr) } };
    const { sent, times, ttl, isUnreachable } = pinged;
    const answered = { sent, times, overTcp: false, ...(ttl === undefined ? {} : { ttl }) };
    if (times.length > 0) return answered;
    const failure = isUnreachable
      ? ({ reason: "unreachable", detail: "a router says that it cannot be reached" } as const)
      : ({ reason: "no_reply", detail: `no reply to ${sent} packets` } as const);
    return { ...answered, failure };
  } catch (error) {
    signal.throwIfAborted();
    // Not installed, or not to be run: as good as not permitted.
    if (error instanceof CollectError && error.kind === "unreachable")
      return { ...none, failure: { reason: "not_permitted", detail: error.message } };
    throw error;
  }
}

function spokenReason(stderr: string): Reason {
  if (/not known|unknown host|name resolution|no address associated/i.test(stderr)) return "resolve";
  return /not permitted|permission denied|cap_net_raw|socktype/i.test(stderr) ? "not_permitted" : "unreachable";
}

const firstLine = (text: string): string => (text.trim().split("\n")[0] ?? "").slice(0, 200);

/** How a host answers to connections: one that is refused is an answer, too. */
async function overTcp(asking: Asking, signal: AbortSignal): Promise<Echo> {
  const times: number[] = [];
  let failure: Echo["failure"];
  for (let sent = 0; sent < asking.count; sent++) {
    if (sent > 0)
      await sleep(asking.intervalSeconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted());
    const answer = await connectOnce(asking, signal);
    if (typeof answer === "number") times.push(answer);
    else failure = answer;
    if (failure?.reason === "resolve") break;
  }
  const answered = { sent: asking.count, times, overTcp: true };
  return times.length > 0 || failure === undefined ? answered : { ...answered, failure };
}

async function connectOnce(
  { host, tcpPort, timeoutSeconds }: Asking,
  signal: AbortSignal,
): Promise<number | Echo["failure"]> {
  const begun = performance.now();
  try {
    return await withDeadline(timeoutSeconds * 1000, signal, async (own) => {
      const { socket, times } = await openTcp({ host, port: tcpPort }, own);
      discard(socket);
      return times.connect;
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CollectError) return { reason: "no_reply", detail: error.message };
    if (!(error instanceof ConnectError)) throw error;
    if (error.code === "ECONNREFUSED") return (performance.now() - begun) / 1000;
    return { reason: error.step === "resolve" ? "resolve" : "unreachable", detail: error.message };
  }
}
