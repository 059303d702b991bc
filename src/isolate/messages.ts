import { z } from "zod";
import { ERROR_KINDS } from "../model/run.ts";
import { ProtocolError } from "./frames.ts";
import type { Place } from "./locate.ts";
import type { Manifest } from "./manifest.ts";

/**
 * What gleaner and a plugin's process say to each other, as JSON. Whatever comes from the process may have been written by
 * the plugin itself: it is held to these schemas, and what does not fit ends the process.
 */

/** What gleaner asks; every question has a number, and is answered once. */
export type Question =
  | { readonly type: "start"; readonly id: string; readonly place: Place; readonly files: Manifest["files"] }
  | { readonly type: "check"; readonly config: unknown }
  | { readonly type: "run"; readonly job: string; readonly target: WireTarget; readonly memory: number }
  | { readonly type: "forget"; readonly memory: number }
  | { readonly type: "ping" };
export type ToChild =
  | (Question & { readonly n: number })
  | { readonly type: "abort"; readonly n: number; readonly reason: string };

/** A target as a plugin sees it; `config` as it is configured, before the plugin's own schema. */
export interface WireTarget {
  readonly id: string;
  readonly config: unknown;
  readonly tags: Readonly<Record<string, string>>;
}

const text = (max: number) => z.string().max(max);

const finding = z.object({ line: z.number(), message: text(2_000) });
/** Something wrong with a target's configuration. `expected` where another type was: text out of a variable may stand for it. */
const issue = z.object({
  path: z.array(z.union([text(200), z.number()])).max(50),
  message: text(2_000),
  part: z.enum(["key", "value"]),
  expected: text(20).optional(),
});
export type ConfigIssue = z.output<typeof issue>;

const collected = z.object({
  samples: z.array(z.unknown()),
  documents: z.array(z.unknown()).optional(),
  metrics: z.record(z.string(), z.unknown()).optional(),
  sourceTime: z.number().optional(),
  rejected: z
    .array(z.object({ reason: text(200), detail: text(500), count: z.number().min(0).optional() }))
    .max(1_000)
    .optional(),
});

const outcome = z.discriminatedUnion("status", [
  z.object({ status: z.literal("ok"), collected }),
  z.object({ status: z.literal("empty"), reason: text(1_000) }),
  z.object({
    status: z.literal("failed"),
    kind: z.enum(ERROR_KINDS),
    message: text(1_000),
    httpStatus: z.number().optional(),
    retryAfter: z.number().min(0).optional(),
  }),
]);
export type WireOutcome = z.output<typeof outcome>;

const n = z.number();
const fromChild = z.discriminatedUnion("type", [
  z.object({ type: z.literal("declared"), n, declaration: z.unknown() }),
  z.object({ type: z.literal("refused"), n, findings: z.array(finding).min(1).max(1_000) }),
  z.object({ type: z.literal("checked"), n, issues: z.array(issue).max(1_000) }),
  z.object({ type: z.literal("ended"), n, outcome }),
  z.object({ type: z.literal("forgotten"), n }),
  z.object({ type: z.literal("pong"), n }),
  z.object({
    type: z.literal("log"),
    level: z.enum(["debug", "info", "warn", "error"]),
    message: text(1_000),
    target: text(200).optional(),
    fields: text(4_000),
  }),
]);
export type FromChild = z.output<typeof fromChild>;
export type Answer = Exclude<FromChild, { type: "log" }>;
export type LogEntry = Extract<FromChild, { type: "log" }>;

/** What comes unasked, or says only that it is there, is short (bytes): only answers that were asked for may be long. */
const MAX_SHORT = 64 * 1024;
const SHORT: ReadonlySet<FromChild["type"]> = new Set(["log", "pong", "forgotten"]);

/** Reads a message of a plugin's process. @throws when it is none */
export function readMessage(json: Buffer): FromChild {
  const message = fromChild.parse(JSON.parse(json.toString()));
  if (json.length > MAX_SHORT && SHORT.has(message.type))
    throw new ProtocolError(`${json.length} bytes of ${message.type}`);
  return message;
}
