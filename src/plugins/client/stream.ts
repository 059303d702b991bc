import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "./abort.ts";

/** Where a stream goes: a host and port, or the path of a unix socket, which has no port. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** One question over a connection of its own, and how its answer ends. */
export interface Question {
  readonly place: Place;
  /** Encrypted with these options; plain when absent. */
  readonly tls?: ConnectionOptions | undefined;
  readonly say: Buffer | string;
  /** Whether all that was asked for has arrived; without it the answer ends when the server closes. */
  readonly enough?: (received: Buffer) => boolean;
}

/** No server that is asked so sends a tenth of this. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Connects, says something, reads the answer, and closes, whatever happens.
 * @returns what was received; less than `enough` when the server closed before
 * @throws {CollectError} bad_data when the answer is too long; connection errors as Node has them; the signal's reason
 */
export async function askOverStream(question: Question, signal: AbortSignal): Promise<Buffer> {
  const { host, port } = question.place;
  signal.throwIfAborted();
  const address = host.startsWith("/") ? { path: host } : { host, port };
  const socket = question.tls ? connectTls({ ...address, ...question.tls }) : connectTcp(address);
  try {
    return await untilAborted(
      signal,
      () => socket.destroy(),
      () => exchange(socket, question),
    );
  } finally {
    // An error after this is nobody's to handle any more.
    socket.on("error", () => undefined).destroy();
  }
}

async function exchange(socket: Socket, { tls, say, enough = () => false }: Question): Promise<Buffer> {
  await once(socket, tls ? "secureConnect" : "connect");
  socket.write(say);
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    if (received.length > MAX_BYTES) throw new CollectError("bad_data", `the answer is longer than ${MAX_BYTES} bytes`);
    if (enough(received)) break;
  }
  return received;
}
