import { CollectError } from "../../model/run.ts";
import type { Answer } from "./answer.ts";
import { type Connection, openConnection } from "./connection.ts";
import { type Request, wireText } from "./request.ts";
import { createScratch } from "./scratch.ts";

/** GET over http. */
export interface Plain {
  /** Rejects with the signal's reason, a CollectError, or the system's error. */
  get(request: Request): Promise<Answer>;
  close(): void;
}

/** How long and how many connections are kept while nobody asks anything. */
export interface Keeping {
  readonly ms: number;
  readonly most: number;
  /** Time between two looks for those that were kept for long enough (ms). */
  readonly lookMs: number;
}

/**
 * 35 s: more than the longest interval of a kit's jobs, 30 s. 8,192: under half of the file descriptors that a process
 * commonly may have.
 */
const KEEPING: Keeping = { ms: 35_000, most: 8_192, lookMs: 5_000 };
/** The connection that is kept to an origin. */
interface Kept {
  readonly connection: Connection;
  /** Whether nobody is using it, and since when. */
  isFree: boolean;
  since: number;
}

/** As much as Node takes from a socket at once. */
const READ_BYTES = 64 * 1024;
const HTTP_PORT = 80;

/**
 * HTTP/1.1 over plain sockets, for what polling is made of: a GET, its answer, and for kits a connection each, which they
 * close. What an HTTP library keeps for a connection costs more there than the exchange itself
 * (docs/decisions/009-http-over-sockets.md). One connection is kept to each server that offers it, until nobody used
 * it for half a minute, so that origins that are polled no more need no looking after.
 */
export function createPlain(keeping: Keeping = KEEPING): Plain {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const scratch = createScratch();
  const all = new Set<Connection>();
  const kept = new Map<string, Kept>();
  const sweeper = setInterval(sweep, keeping.lookMs).unref();

  function sweep(): void {
    const oldest = performance.now() - keeping.ms;
    for (const { connection, isFree, since } of kept.values())
      if (isFree && since <= oldest) connection.close(new CollectError("unreachable", "the connection was not used"));
  }
  function open(url: URL, origin: string): Connection {
    const port = url.port === "" ? HTTP_PORT : Number(url.port);
    const onClose = () => {
      all.delete(connection);
      if (kept.get(origin)?.connection === connection) kept.delete(origin);
    };
    const connection = openConnection({ host: hostOf(url), port, buffer, scratch, onClose });
    all.add(connection);
    return connection;
  }
  function take(origin: string): Connection | undefined {
    const own = kept.get(origin);
    if (!own?.isFree || !own.connection.isOpen) return undefined;
    own.isFree = false;
    return own.connection;
  }
  function keep(origin: string, connection: Connection): void {
    if (!connection.isOpen) return;
    const own = kept.get(origin);
    if (own?.connection === connection) {
      own.isFree = true;
      own.since = performance.now();
    } else if (own === undefined && kept.size < keeping.most) {
      kept.set(origin, { connection, isFree: true, since: performance.now() });
    } else connection.close(new CollectError("unreachable", "there are enough connections"));
  }

  return {
    async get(request) {
      const text = wireText(request);
      const { url, signal } = request;
      const { origin } = url;
      for (;;) {
        signal.throwIfAborted();
        const connection = take(origin) ?? open(url, origin);
        const whole = await connection.ask(text, signal);
        // Nothing comes of a kept connection that the server had closed: once more, over another.
        if (!whole) continue;
        keep(origin, connection);
        return whole;
      }
    },
    close() {
      clearInterval(sweeper);
      for (const connection of all) connection.close(new CollectError("unreachable", "the HTTP client was closed"));
    },
  };
}

/** The URL standard writes IPv6 addresses in brackets; sockets don't. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
