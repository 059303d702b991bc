import { z } from "zod";
import { type Duration, days, parseDuration, seconds } from "../model/duration.ts";
import { canonicalPluginId } from "../model/plugin.ts";

/** What an agent is called in labels, keys and paths. */
const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/;
const PLUGIN_ID = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const LIFETIME = { default: "90d", shortest: seconds(1), longest: days(3_650) } as const;
/** What an owner can set for an agent, as JSON (bytes). */
export const MAX_CONFIG = 102_400;

const lifetime = z
  .union([z.string(), z.number()])
  .default(LIFETIME.default)
  .transform((given, context): Duration => {
    const ms = readDuration(given);
    if (ms !== undefined && ms >= LIFETIME.shortest && ms <= LIFETIME.longest) return ms;
    context.addIssue({ code: "custom", message: "expected a duration from 1s to 3650d, such as 90d" });
    return z.NEVER;
  });

function readDuration(given: string | number): Duration | undefined {
  try {
    return parseDuration(given);
  } catch {
    return undefined;
  }
}

const wanted = z.strictObject({
  id: z
    .string()
    .regex(AGENT_ID, { error: "expected letters, digits, _ . : and -, at most 100, the first a letter or digit" }),
  plugin: z
    .string()
    .max(60)
    .transform(canonicalPluginId)
    .pipe(z.string().regex(PLUGIN_ID, { error: "expected snake_case, such as solar_roof" }))
    .default("agent"),
  name: z.string().min(1).max(200).optional(),
  expires: lifetime,
});
const renewal = z.strictObject({ expires: lifetime });

/** What an owner wants of a new agent. */
export interface WantedAgent {
  readonly id: string;
  readonly plugin: string;
  readonly name: string;
  /** How long its key is good for (ms). */
  readonly lifetime: Duration;
}
type Problems = { readonly problems: readonly string[] };

/** Reads what an owner wants of a new agent. @param taken ids of gleaner's own plugins, which no agent goes by */
export function readWanted(given: unknown, taken: ReadonlySet<string>): WantedAgent | Problems {
  const parsed = wanted.safeParse(given);
  if (!parsed.success) return problemsOf(parsed.error);
  const { id, plugin, name = id, expires } = parsed.data;
  if (taken.has(plugin))
    return { problems: [`plugin: ${plugin} is one of gleaner's own; name the agent's kind otherwise`] };
  return { id, plugin, name, lifetime: expires };
}

/** Reads how long another key is to be good for. */
export function readRenewal(given: unknown): { readonly lifetime: Duration } | Problems {
  const parsed = renewal.safeParse(given);
  return parsed.success ? { lifetime: parsed.data.expires } : problemsOf(parsed.error);
}

/** What is wrong with a configuration for an agent; empty when nothing is. */
export function configProblems(config: unknown): string[] {
  if (typeof config !== "object" || config === null || Array.isArray(config)) return ["config: expected an object"];
  const isTooLong = Buffer.byteLength(JSON.stringify(config)) > MAX_CONFIG;
  return isTooLong ? [`config: expected at most ${MAX_CONFIG} bytes of JSON`] : [];
}

const problemsOf = ({ issues }: z.ZodError): Problems => ({
  problems: issues.map(({ path, message }) => `${path.join(".") || "the body"}: ${message}`),
});
