import { CollectError, ERROR_KINDS, type ErrorKind, type Run } from "../model/run.ts";
import { readTime } from "./report.ts";

const STATES = ["healthy", "degraded", "failing"] as const;
const MAX_MESSAGE = 500;

/** What an agent says of itself: a run that went well, or one that failed. */
export interface HealthReport {
  readonly at: Date;
  readonly outcome: Run["outcome"];
}

const expected = `expected {"at": …, "status": "${STATES.join('" | "')}"}, with message and kind where it is not healthy`;

/** Reads what an agent says of its health. @returns a sentence when it says nothing */
export function readHealth(body: unknown, now: Date): HealthReport | string {
  if (typeof body !== "object" || body === null) return expected;
  const { at: told, status, message = "", kind = "unreachable", ...rest } = body as Readonly<Record<string, unknown>>;
  const isKnown = typeof status === "string" && STATES.some((state) => state === status);
  if (!isKnown || typeof message !== "string" || Object.keys(rest).length > 0) return expected;
  if (!isErrorKind(kind)) return `expected kind to be one of ${ERROR_KINDS.join(", ")}`;
  const at = readTime(told, now);
  if (typeof at === "string") return at;
  const said = message.slice(0, MAX_MESSAGE) || `the agent says it is ${status}`;
  if (status === "healthy") return { at, outcome: { status: "ok", collected: { samples: [] } } };
  return { at, outcome: { status: "failed", error: new CollectError(kind, said) } };
}

const isErrorKind = (kind: unknown): kind is ErrorKind => ERROR_KINDS.some((known) => known === kind);
