import { createConnection, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "./abort.ts";
import { addressOf, connectionError } from "./errors.ts";

/** Where a server is: host and port, or the path of its unix socket in `host`. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Encrypts the connection. */
  readonly tls?: ConnectionOptions | undefined;
}

/** The other side of a conversation in lines and counted bytes. */
export interface Peer {
  write(data: string | Buffer): void;
  /** The next line, as UTF-8, without its line end (LF or CRLF). */
  line(): Promise<string>;
  /** The next so many bytes. */
  bytes(count: number): Promise<Buffer>;
  /** All that comes until the other side ends the connection. */
  rest(): Promise<Buffer>;
}

/** All that is read in one conversation: statistics have some 10 kB; what is larger is something else. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_LINE = 64 * 1024;
const LF = 0x0a;

/**
 * Opens a connection, has a conversation over it, and destroys it, whatever happens.
 * @param what name of the server's kind, for messages: `Redis`
 * @throws {CollectError} unreachable, or bad_data for answers that are too long; the signal's reason when it aborts
 */
export async function converse<T>(
  what: string,
  { host, port, tls }: Endpoint,
  signal: AbortSignal,
  talk: (peer: Peer) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const where = host.startsWith("/") ? { path: host } : { host, port };
  const socket = tls ? connectTls({ ...where, ...tls }) : createConnection(where);
  const cut = () => socket.destroy();
  try {
    return await untilAborted(signal, cut, () => talk(peerOf(socket)));
  } catch (error) {
    throw connectionError(error, `${what} at ${addressOf(host, port)}`);
  } finally {
    cut();
  }
}

function peerOf(socket: Socket): Peer {
  // An error that comes while nothing is awaited; the next read tells of it.
  socket.on("error", () => undefined);
  const chunks = socket[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);
  let total = 0;

  /** False when the other side has ended the connection. */
  async function more(): Promise<boolean> {
    const { value, done } = await chunks.next();
    if (done) return false;
    total += value.length;
    if (total > MAX_BYTES) throw new CollectError("bad_data", `the answer is longer than ${MAX_BYTES} bytes`);
    buffer = Buffer.concat([buffer, value]);
    return true;
  }
  async function need(): Promise<void> {
    if (!(await more())) throw new CollectError("unreachable", "the server closed the connection without an answer");
  }
  function take(count: number, skip = 0): Buffer {
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count + skip);
    return taken;
  }

  return {
    write: (data) => void socket.write(data),
    async line() {
      let end = buffer.indexOf(LF);
      while (end === -1) {
        if (buffer.length > MAX_LINE) throw new CollectError("bad_data", `a line is longer than ${MAX_LINE} bytes`);
        await need();
        end = buffer.indexOf(LF);
      }
      return take(end, 1).toString("utf8").replace(/\r$/, "");
    },
    async bytes(count) {
      while (buffer.length < count) await need();
      return take(count);
    },
    async rest() {
      while (await more());
      return take(buffer.length);
    },
  };
}
