import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createReader, type Whole } from "../../../src/collect/http/reader.ts";
import { CollectError } from "../../../src/model/run.ts";

/** A server that writes exactly the bytes a test gives it, to every request on a connection. `n` counts connections from 0. */
export interface RawServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every request: its connection and its text. */
  readonly asked: readonly { readonly connection: number; readonly text: string }[];
  /** Connections that are open now. */
  open(): number;
}

export async function rawServer(
  answer: (socket: Socket, path: string, connection: number) => void,
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const asked: { connection: number; text: string }[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      const text = data.toString("latin1");
      asked.push({ connection, text });
      answer(socket, text.split(" ")[1] ?? "/", connection);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, asked, open: () => sockets.size },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Status line and headers, blank line included. */
export const head = (headers: readonly string[] = [], status = "HTTP/1.1 200 OK"): string =>
  [status, ...headers, "", ""].join("\r\n");

/** What a reader makes of an answer that comes in these pieces, after which the connection ends. */
export function read(...pieces: readonly (string | Buffer)[]): Whole {
  const reader = createReader();
  // As a socket does: the next piece comes into the same memory.
  const memory = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)));
  for (const piece of pieces) {
    const length = Buffer.from(piece as string, "latin1").copy(memory);
    const whole = reader.push(memory.subarray(0, length));
    memory.fill(0);
    if (whole) return whole;
  }
  return reader.end();
}

/** That it is refused as bad data. */
export function refused(message: RegExp, ...pieces: readonly (string | Buffer)[]): void {
  assert.throws(
    () => read(...pieces),
    (error: unknown) => {
      assert.ok(error instanceof CollectError, `${error}`);
      assert.equal(error.kind, "bad_data", pieces.join("|").slice(0, 200));
      assert.match(error.message, message);
      return true;
    },
    pieces.join("|").slice(0, 200),
  );
}
