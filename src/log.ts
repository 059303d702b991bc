import { type DestinationStream, pino } from "pino";
import type { Logger } from "./model/plugin.ts";
import { redactSecrets } from "./model/redact.ts";

/** Keys whose values never reach a log line, at the top of a record and one level below. */
const SECRET_KEYS = ["password", "token", "authorization", "secret", "cookie", "dsn", "connectionString"];

/** An error as type, message and stack, without the cause and the fields that drivers hang on it. */
function serializeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: redactSecrets(String(error)) };
  return { type: error.name, message: redactSecrets(error.message), stack: redactSecrets(error.stack ?? "") };
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
