import { createServer, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

/** A listening port that can be closed and opened again, as a kit that is switched off and on. */
export interface Port {
  readonly port: number;
  open(): Promise<void>;
  /** Stops listening: connections are refused. Those that are open stay. */
  shut(): Promise<void>;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

/** As many connections may wait as a busy collector opens at once. */
const BACKLOG = 1_024;

const REOPEN_TRIES = 40;
const REOPEN_WAIT = 50;

/** Listens on `port`, or on a free one for 0. */
export async function openPort(host: string, port: number, serve: (socket: Socket) => void): Promise<Port> {
  const sockets = new Set<Socket>();
  // Half-open: a client that closes must not end our side, or an answer cut short would look finished.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket);
  });
  const bound = await listen(server, host, port);
  return {
    port: bound,
    open: async () => void (server.listening || (await reopen(server, host, bound))),
    shut: async () => void (server.listening && server.close()),
    close: async () => {
      server.close();
      const gone = [...sockets].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(gone);
    },
  };
}

/** While a kit was off, the system may have lent its port to a connection: those end soon. */
async function reopen(server: Server, host: string, port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return void (await listen(server, host, port));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || tries === REOPEN_TRIES) throw error;
      await setTimeout(REOPEN_WAIT);
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeListener("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}
