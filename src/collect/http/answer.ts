import { CollectError } from "../../model/run.ts";

/** An answer as it came: header names in lower case; the body as text, or as it was sent where that is encoded. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Status line and headers of an answer, blank line included; undici's limit is set to the same. */
export const MAX_HEAD_BYTES = 16 * 1024;

/** Largest body, as sent and decoded: a kit at its caps sends about 0.2 MB; 8 MB bounds what a hostile one can make us hold. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** What to throw at a body over the cap. */
export function tooLarge(): CollectError {
  return new CollectError("bad_data", `the answer is larger than ${MAX_BODY_BYTES} bytes`);
}

/** What to throw at an answer that is not HTTP, or HTTP that can be read in two ways. `what`: no text of the other side's. */
export function malformed(what: string, cause?: Error): CollectError {
  return new CollectError("bad_data", `the answer is not proper HTTP: ${what}`, { cause });
}
