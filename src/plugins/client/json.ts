import { CollectError } from "../../model/run.ts";

/**
 * JSON out of an answer or a program's output.
 * @param what where it came from, for the message: `GET /info`, `smartctl`
 * @throws {CollectError} bad_data; of what was received it says nothing but the length
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CollectError("bad_data", `${what}: expected JSON, got ${text.length} characters of something else`, {
      cause,
    });
  }
}
