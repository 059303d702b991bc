import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";

/** Where Node tells of every client socket, TLS or not, as it is made. */
const CHANNEL = "net.client.socket";

/** The sockets of one piece of work. */
interface Sockets {
  /** Runs work whose sockets are its. */
  run<T>(work: () => T): T;
  /** Destroys those that are open, and any that would still be opened. */
  end(): void;
  /** Looks no more: after the work is over. */
  forget(): void;
}

/**
 * Keeps in sight what a library connects to. MongoDB's driver has no way to give up: its close leaves the socket that waits
 * for the first answer of a silent server, and opens another to say goodbye.
 */
export function watchSockets(): Sockets {
  const own = new AsyncLocalStorage<true>();
  const sockets = new Set<Socket>();
  let isOver = false;
  const note = (message: unknown) => {
    const socket = typeof message === "object" && message !== null && "socket" in message ? message.socket : undefined;
    if (!own.getStore() || !(socket instanceof Socket)) return;
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    // Told before it connects, and connecting would bring a destroyed one back to life.
    if (isOver) process.nextTick(() => socket.destroy());
  };
  subscribe(CHANNEL, note);
  return {
    run: (work) => own.run(true, work),
    end() {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
    forget: () => void unsubscribe(CHANNEL, note),
  };
}
