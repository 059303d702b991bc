import type { Logger } from "../../model/plugin.ts";
import type { FromChild } from "../messages.ts";
import { createThrottle } from "../throttle.ts";

const MAX_MESSAGE = 1_000;
const MAX_FIELDS = 4_000;
/** Lines in a second, and at once; gleaner itself takes fewer. */
const RATE = 50;
const BURST = 200;

/** The fields of a line as JSON; those that are none, or too long, are left out. */
function textOf(fields: unknown): string {
  try {
    const text = JSON.stringify(fields) ?? "{}";
    return text.length <= MAX_FIELDS ? text : "{}";
  } catch {
    return "{}";
  }
}

/** Loggers that send what they are told. */
export function createLoggers(send: (message: FromChild) => void): (target: string) => Logger {
  const mayPass = createThrottle(RATE, BURST, () => performance.now());
  return (target) => {
    const say = (level: keyof Logger) => (fields: object, message: string) => {
      if (!mayPass()) return;
      send({ type: "log", level, target, message: String(message).slice(0, MAX_MESSAGE), fields: textOf(fields) });
    };
    return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  };
}
