import { ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import type { ChainableCommander, Redis } from "ioredis";

export interface CacheClientOptions {
  /** `redis://user:password@host:6379/0`, `rediss://…` with TLS. */
  readonly url: string;
  /** Longest that one call may take (ms). */
  readonly timeout: number;
  /** Called when it begins to answer, and when it ceases to; `reason` says why. */
  readonly onChange: (isUp: boolean, reason: string) => void;
}

/** A Redis or Valkey that may be gone, hung, slow or full: nobody waits for it, and nothing piles up in front of it. */
export interface CacheClient {
  /** Resolves in time whatever happens: undefined when it could not be asked. Never rejects. */
  read<T>(work: (redis: Redis) => Promise<T>): Promise<T | undefined>;
  /** Sends commands at once. @returns whether all of them were carried out */
  write(fill: (pipeline: ChainableCommander) => void): Promise<boolean>;
  isUp(): boolean;
  close(): void;
}

/** Calls that fail in a row before it is left alone, and for how long (ms). Full, it refuses writes and goes on to answer reads. */
const FAILURES = 3;
const ALONE_MS = 2_000;
/** Calls under way at most: more are answered as if it was not there. */
const MAX_UNDER_WAY = 64;
/** First and longest wait between two tries to connect (ms). */
const RECONNECT_MS = { first: 100, longest: 5_000 } as const;
/** A connection on which an answer is this late (ms) is given up, with what still waits on it. */
const SOCKET_TIMEOUT_MS = 1_000;

/** Begins to connect, and goes on trying; the driver is loaded here. */
export async function connectCache({ url, timeout, onChange }: CacheClientOptions): Promise<CacheClient> {
  const { Redis: Driver } = await import("ioredis");
  const redis = new Driver(url, {
    // What cannot be sent now is not sent later: an hour's values would wait in memory for a server that is gone.
    ...{ enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
    ...{ commandTimeout: timeout, connectTimeout: SOCKET_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    ...{ disconnectTimeout: SOCKET_TIMEOUT_MS, disableClientInfo: true, protocol: 2 },
    retryStrategy: (times) => Math.min(RECONNECT_MS.first * 2 ** Math.min(times - 1, 10), RECONNECT_MS.longest),
  });
  const breaker = () =>
    circuitBreaker(handleAll, { halfOpenAfter: ALONE_MS, breaker: new ConsecutiveBreaker(FAILURES) });
  const breakers = { read: breaker(), write: breaker() };
  let underWay = 0;
  let up = false;
  let reason = "";

  function change(now: boolean): void {
    if (up !== now) onChange(now, reason);
    up = now;
  }
  redis.on("ready", () => change(true));
  redis.on("close", () => change(false));
  // Without a listener the driver prints it, again and again.
  redis.on("error", (error: Error) => {
    reason = error.message;
  });

  async function attempt<T>(kind: keyof typeof breakers, work: () => Promise<T>): Promise<T | undefined> {
    if (redis.status !== "ready" || underWay >= MAX_UNDER_WAY) return undefined;
    underWay++;
    try {
      return await breakers[kind].execute(() => within(timeout, work()));
    } catch {
      return undefined;
    } finally {
      underWay--;
    }
  }

  return {
    read: (work) => attempt("read", () => work(redis)),
    async write(fill) {
      const done = await attempt("write", async () => {
        const pipeline = redis.pipeline();
        fill(pipeline);
        const failed = (await pipeline.exec())?.find(([error]) => error);
        if (failed) throw failed[0];
        return true;
      });
      return done === true;
    },
    isUp: () => redis.status === "ready",
    close: () => redis.disconnect(),
  };
}

/** What takes longer is given up; it may still happen, and nobody hears of it. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
