import { ExponentialBackoff, type IBackoff } from "cockatiel";
import { redactSecrets } from "../model/redact.ts";
import { classify } from "./classify.ts";

export interface OutageOptions {
  /** First and longest wait after a failed write (ms). */
  readonly backoff: { readonly initial: number; readonly max: number };
  /** Monotonic (ms). */
  readonly now: () => number;
  /** Every failed write. */
  readonly onFailed: (error: unknown) => void;
  /** Once when writing begins to fail, and once when it goes well again. */
  readonly onDown: (error: unknown) => void;
  readonly onUp: (outageMs: number) => void;
}

/** Whether the database can be written, and how long it is left alone while it cannot. */
export interface Outage {
  /** A write failed. `tried`: it was attempted; else the database has not been reached yet, and looking costs nothing. */
  failed(error: unknown, tried: boolean): void;
  /** A write went well. */
  over(): void;
  isOn(): boolean;
  /** How long writing is left alone after the last failure (ms); undefined while there is no outage. */
  pause(): number | undefined;
  /** Whether the last error says that the schema may be gone. */
  wantsRepair(): boolean;
  /** The last error in words, and how long the outage lasts; undefined while there is none. */
  reason(): string | undefined;
}

interface Down {
  readonly error: unknown;
  readonly since: number;
  readonly backoff: IBackoff<unknown>;
  readonly pause: number;
}

/** There is no outage yet. */
export function createOutage({ backoff, now, onFailed, onDown, onUp }: OutageOptions): Outage {
  const factory = new ExponentialBackoff({ initialDelay: backoff.initial, maxDelay: backoff.max });
  let down: Down | undefined;

  const isStop = () => down !== undefined && classify(down.error) === "stop";

  return {
    failed(error, tried) {
      if (tried) onFailed(error);
      if (!down && tried) onDown(error);
      const next = !down ? factory.next() : tried ? down.backoff.next(undefined) : down.backoff;
      // The first such error is met at once by bringing back the schema; when that is no help, somebody has to come.
      const isStuck = isStop() && classify(error) === "stop";
      const pause = isStuck ? backoff.max : tried ? next.duration : backoff.initial;
      down = { error, since: down?.since ?? now(), backoff: next, pause };
    },
    over() {
      if (down) onUp(now() - down.since);
      down = undefined;
    },
    isOn: () => down !== undefined,
    pause: () => down?.pause,
    wantsRepair: isStop,
    reason: () => down && `${messageOf(down.error)} (for ${Math.round((now() - down.since) / 1_000)} s)`,
  };
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? redactSecrets(error.message || error.name) : String(error);
}
