import { connect } from "node:net";
import { createReader, type Reader, type Whole } from "./reader.ts";
import type { Scratch } from "./scratch.ts";

/** A socket to a server, for one exchange at a time. */
export interface Connection {
  /** Whether it could take another request, as far as is known here. */
  readonly isOpen: boolean;
  /**
   * Sends a request and reads its answer. Undefined when the server had closed a connection that was used before, which
   * it may do at any time. Rejects with the signal's reason, a CollectError, or the system's error, and is closed then.
   */
  ask(request: string, signal: AbortSignal): Promise<Whole | undefined>;
  close(reason: Error): void;
}

export interface Place {
  readonly host: string;
  readonly port: number;
  /**
   * Where what comes is put before it is looked at. All connections may share one: Node reads and hands on in one go, so
   * nothing of another comes in between.
   */
  readonly buffer: Buffer;
  /** Where bodies are put together. */
  readonly scratch: Scratch;
  /** Called when it is closed, by whomever. */
  readonly onClose: () => void;
}

interface Exchange {
  readonly reader: Reader;
  readonly isFirst: boolean;
  /** Ends the exchange: a value, or what to reject with. */
  settle(outcome: { readonly whole: Whole | undefined } | { readonly error: unknown }): void;
}

export function openConnection({ host, port, buffer, scratch, onClose }: Place): Connection {
  let current: Exchange | undefined;
  let asked = 0;
  const onread = {
    buffer,
    callback: (length: number) => {
      onData(buffer.subarray(0, length));
      return true;
    },
  };
  const socket = connect({ host, port, onread });
  socket.on("error", onEnd).on("end", onEnd).once("close", onClose);

  function onData(data: Buffer): void {
    // Who speaks unasked would have the answer to the next question there before it is put.
    if (!current) {
      socket.destroy();
      return;
    }
    try {
      const whole = current.reader.push(data);
      if (whole) finish(current, whole);
    } catch (error) {
      fail(current, error);
    }
  }
  function onEnd(error?: Error): void {
    if (!current) {
      socket.destroy();
      return;
    }
    const { reader, isFirst, settle } = current;
    if (!reader.hasBegun && !isFirst) {
      socket.destroy();
      settle({ whole: undefined });
      return;
    }
    try {
      finish(current, reader.end(error));
    } catch (thrown) {
      fail(current, thrown);
    }
  }
  function finish({ settle }: Exchange, whole: Whole): void {
    if (!whole.keepsAlive) socket.destroy();
    settle({ whole });
  }
  function fail({ settle }: Exchange, error: unknown): void {
    socket.destroy();
    settle({ error });
  }

  return {
    get isOpen() {
      return !socket.destroyed;
    },
    ask(request, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Whole | undefined>();
      const exchange: Exchange = {
        reader: createReader(scratch),
        isFirst: asked++ === 0,
        settle(outcome) {
          signal.removeEventListener("abort", onAbort);
          exchange.reader.release();
          current = undefined;
          if ("error" in outcome) reject(outcome.error);
          else resolve(outcome.whole);
        },
      };
      const onAbort = () => fail(exchange, signal.reason);
      current = exchange;
      signal.addEventListener("abort", onAbort, { once: true });
      socket.write(request, "latin1");
      return promise;
    },
    close(reason) {
      socket.destroy();
      current?.settle({ error: reason });
    },
  };
}
