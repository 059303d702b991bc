import { type DestinationStream, pino } from "pino";
import type { Logger } from "./model/plugin.ts";

/** Keys whose values never reach a log line, at the top of a record and one level below. */
const SECRET_KEYS = ["password", "token", "authorization", "secret", "cookie", "dsn", "connectionString"];

/** `postgresql://me:secret@db/x` -> `postgresql://***@db/x`: drivers put URLs into their messages. */
function scrub(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,300}@/gi, "$1***@");
}

/** An error as type, message and stack, without the cause and the fields that drivers hang on it. */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: scrub(String(error)) };
  return { type: error.name, message: scrub(error.message), stack: scrub(error.stack ?? "") };
}

export interface RootLogger extends Logger {
  child(fields: object): Logger;
}

/** Structured JSON lines on standard error (standard output is for what a command answers), secrets removed. */
export function createLogger(level: string, destination?: DestinationStream): RootLogger {
  return pino(
    {
      name: "gleaner",
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: "***" },
      serializers: { err: serializeError, error: serializeError },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
