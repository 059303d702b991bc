import { z } from "zod";
import { atMostOne, timeout } from "./fields.ts";

const SUPPORTED = "expected redis://host:6379 or rediss://host:6379, with user and password percent-encoded";

/** What is wrong with the URL of a cache, or undefined. Never quotes it: it may hold a password. */
export function cacheUrlProblem(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !/^rediss?:\/\//i.test(url) || parsed.hostname === "") return SUPPORTED;
  if (!/^(\/\d{0,4})?$/.test(parsed.pathname) || parsed.search !== "") return SUPPORTED;
  try {
    decodeURIComponent(`${parsed.username}${parsed.password}`);
    return undefined;
  } catch {
    return SUPPORTED;
  }
}

/** The URL for people: without user and password. */
export function redactCacheUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "redis:" : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

const cacheUrl = z.string().superRefine((url, context) => {
  const message = cacheUrlProblem(url);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

/** Redis or Valkey, optional. */
export const cacheSettings = atMostOne(
  z.strictObject({
    url: cacheUrl
      .optional()
      .describe("A Redis or Valkey: redis://user:password@host:6379/0, or rediss:// with TLS.")
      .meta({ unset: "no cache", alternative: `redis://:\${REDIS_PASSWORD}@localhost:6379` }),
    url_file: z
      .string()
      .min(1)
      .optional()
      .describe("A file that holds the URL, relative to this file.")
      .meta({ alternative: "secrets/cache-url" }),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,60}$/, { error: "expected letters, digits, _ . : and -, at most 60" })
      .default("gleaner:")
      .describe("What every key begins with. Collectors that share a database share it; others need one of their own."),
    timeout: timeout().prefault("100ms").describe("Longest that one call may take; then it goes without."),
    ttl: z
      .strictObject({
        latest: timeout().prefault("300s").describe("Latest values of a target."),
        status: timeout().prefault("30s").describe("State of a target."),
        dashboard: timeout().prefault("60s").describe("The summary of all targets."),
        query: timeout().prefault("60s").describe("Answers on values as they were at some time."),
      })
      .prefault({})
      .describe("How long values are kept."),
  }),
  ["url", "url_file"],
)
  .prefault({})
  .describe("Latest values and states in Redis or Valkey, for reads; optional, and nothing depends on it.");
