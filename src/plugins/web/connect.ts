import { promises as dns, type LookupAddress } from "node:dns";
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { untilAborted } from "../client/abort.ts";

/** The steps to a connection, in order. */
export type Step = "resolve" | "connect" | "tls";

/** A connection that did not come about, and at which step. */
export class ConnectError extends Error {
  readonly step: Step;

  constructor(step: Step, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "ConnectError";
    this.step = step;
  }

  /** `ECONNREFUSED` and the like; empty when the cause has none. */
  get code(): string {
    const { code } = (this.cause ?? {}) as { readonly code?: unknown };
    return typeof code === "string" ? code : "";
  }
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** How long each step took, in seconds; steps that were not needed are absent. */
export type StepTimes = Partial<Record<Step, number>>;

export interface Connection {
  readonly socket: Socket;
  readonly times: StepTimes;
}

export interface TlsOptions {
  /** The name that is asked for and that the certificate must be for; an IP address is not asked for. */
  readonly serverName: string;
  /** Certificates (PEM) that the server is held to instead of the system's. */
  readonly ca?: string | undefined;
  readonly alpn?: readonly string[];
}

const noop = () => undefined;

/** Closes a socket whatever it still has to say. */
export function discard(socket: Socket): void {
  socket.on("error", noop).destroy();
}

async function until(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    discard(socket);
    throw signal.aborted ? signal.reason : error;
  }
}

async function step<T>(name: Step, times: StepTimes, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new ConnectError(name, error);
  } finally {
    times[name] = (performance.now() - begun) / 1000;
  }
}

/**
 * Opens a TCP connection; of several addresses the first that answers (happy eyeballs, as Node does it).
 * @throws {ConnectError} with the step that failed; the signal's reason when it aborts
 */
export async function openTcp({ host, port }: Place, signal: AbortSignal): Promise<Connection> {
  const times: StepTimes = {};
  const addresses = await addressesOf(host, times, signal);
  const socket = await step("connect", times, signal, async () => {
    signal.throwIfAborted();
    const opened = connectTcp({ host, port, lookup: (_host, _options, done) => done(null, addresses) });
    await until(opened, "connect", signal);
    return opened;
  });
  return { socket, times };
}

async function addressesOf(host: string, times: StepTimes, signal: AbortSignal): Promise<LookupAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  return step("resolve", times, signal, () => untilAborted(signal, noop, () => dns.lookup(host, { all: true })));
}

/**
 * Speaks TLS over a connection. A certificate that is not to be trusted is no error here: `authorized` and
 * `authorizationError` of the socket tell, and the caller decides before it sends anything.
 */
export async function startTls(
  { socket, times }: Connection,
  { serverName, ca, alpn }: TlsOptions,
  signal: AbortSignal,
): Promise<Connection & { readonly socket: TLSSocket }> {
  const taken = { ...times };
  const secure = await step("tls", taken, signal, async () => {
    const wrapped = connectTls({
      socket,
      // Also for an address: it is what the certificate is checked against.
      host: serverName,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      rejectUnauthorized: false,
    });
    socket.on("error", noop);
    try {
      await until(wrapped, "secureConnect", signal);
    } catch (error) {
      discard(socket);
      throw error;
    }
    return wrapped;
  });
  return { socket: secure, times: taken };
}
