import { z } from "zod";
import { type Duration, formatDuration, parseDuration } from "../model/duration.ts";

const EXPECTED_DURATION = "expected a duration such as 5s, 250ms, 2m, 1h or a number of seconds";

/**
 * A duration as people write it, handed on in milliseconds. A bare number is seconds.
 * `kind`, `shortest` and `longest` are for the generated reference.
 */
function duration({ min, max }: { readonly min: string; readonly max: string }) {
  const [shortest, longest] = [parseDuration(min), parseDuration(max)];
  return z
    .union([z.string(), z.number()], { error: EXPECTED_DURATION })
    .transform((given, context): Duration => {
      const ms = readDuration(given);
      if (ms !== undefined && ms >= shortest && ms <= longest) return ms;
      const message = ms === undefined ? EXPECTED_DURATION : `expected a duration from ${min} to ${max}`;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    })
    .meta({ kind: "duration", range: `${formatDuration(shortest)} to ${formatDuration(longest)}` });
}

function readDuration(given: string | number): Duration | undefined {
  try {
    return parseDuration(given);
  } catch {
    return undefined; // Its message quotes the value, which may have come out of a secret.
  }
}

/** How often something is done. Longer than a week is for cron: a timer of Node overflows at 24.8 days. */
export const interval = () => duration({ min: "100ms", max: "7d" });
/** How long something may take. */
export const timeout = () => duration({ min: "10ms", max: "1h" });
/** How long to wait before the next try. */
export const delay = () => duration({ min: "0s", max: "1h" });
/** How long to leave a failing target alone. */
export const backoff = () => duration({ min: "10ms", max: "1d" });
/** How long data is kept. */
export const retention = () => duration({ min: "1h", max: "36500d" });

const EXPECTED_BYTES = "expected a size such as 512MiB, 2GiB, or a number of bytes";
const SIZES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** A size as people write it, handed on in bytes. */
export const bytes = () =>
  z
    .union([z.string(), z.number()], { error: EXPECTED_BYTES })
    .transform((given, context): number => {
      const match = /^(\d+(?:\.\d+)?)\s*([KMGT]iB|B|)$/.exec(String(given));
      const size = match && Math.round(Number(match[1]) * (SIZES[match[2] ?? ""] as number));
      if (size !== null && Number.isSafeInteger(size)) return size;
      context.addIssue({ code: "custom", message: EXPECTED_BYTES });
      return z.NEVER;
    })
    .meta({ kind: "size" });

/** A whole number within bounds. */
export const whole = (min: number, max: number) => z.int().min(min).max(max);

/** Ids of targets and kits: they become labels, keys in the database and parts of URLs. */
export const TARGET_ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/;
/** What a text must be to be an id of a target. */
export const EXPECTED_ID = "expected an id of letters, digits, _ . : and -, at most 100, the first a letter or digit";

/** The id of a target or kit. */
export const targetId = () => z.string().regex(TARGET_ID, { error: EXPECTED_ID });

/** Labels put on everything that is collected; names as Prometheus allows them. */
export const tags = () =>
  z.record(
    z.string().regex(/^(?!__)[A-Za-z_][A-Za-z0-9_]{0,99}$/, {
      error: "expected a tag name of letters, digits and _, not beginning with a digit or __",
    }),
    z
      .union([z.string().max(1_000), z.number(), z.boolean()], { error: "expected text, a number, true or false" })
      .transform(String),
  );

const EXPECTED_LISTEN = 'expected "host:port", such as 127.0.0.1:9470, or "[::1]:9470"';

/** An address to listen on. Port 0 is any free port. */
export const listen = () =>
  z.string().transform((given, context) => {
    const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(given);
    const port = Number(match?.[3]);
    const host = match?.[1] ?? match?.[2];
    if (host !== undefined && port <= 65_535) return { host, port };
    context.addIssue({ code: "custom", message: EXPECTED_LISTEN });
    return z.NEVER;
  });

/** A name of the time zone database. */
export const timezone = () =>
  z.string().refine(isTimezone, { error: "expected a time zone such as UTC or Europe/Berlin" });

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The address of a kit: a plain http or https URL. Credentials in it would reach logs, labels and the database. */
export const kitUrl = () =>
  z.string().refine(isKitUrl, {
    error: "expected an http or https URL such as http://10.0.0.11:8088, without user, password, query or fragment",
  });

function isKitUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:\/\//i.test(text) &&
    url.hostname !== "" &&
    `${url.username}${url.password}${url.search}${url.hash}` === "" &&
    // The parser forgives an empty user and a bare ? or #; what remains must still be a plain address.
    !/[@?#\s\\]/.test(text)
  );
}

/** Which of these keys a map has. */
export function given(value: unknown, keys: readonly string[]): string[] {
  return typeof value === "object" && value !== null
    ? keys.filter((key) => Object.hasOwn(value, key) && Reflect.get(value, key) !== undefined)
    : [];
}

/** Keys of which at most one may be given. Runs although other keys are wrong, so that everything is reported at once. */
export function atMostOne<S extends z.ZodType>(schema: S, keys: readonly [string, ...string[]]): S {
  return keys.slice(1).reduce(
    (checked, key) =>
      checked.refine((value) => !(given(value, keys).indexOf(key) > 0), {
        error: `expected only one of ${keys.join(", ")}`,
        path: [key],
        when: () => true,
      }),
    schema,
  );
}
