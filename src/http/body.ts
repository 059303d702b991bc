import type { IncomingMessage } from "node:http";

/** Why a request's body cannot be used, as an answer. */
export class BadBody extends Error {
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string) {
    super(message);
    this.name = "BadBody";
    this.status = status;
  }
}

/** Deeper than any document we take; parsing goes on far beyond it, and what walks the result does not. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON body of at most `limit` bytes; a longer one is not read to its end.
 * @throws {BadBody} with what to answer
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const { "content-type": type = "", "content-encoding": encoding = "identity" } = request.headers;
  // Forms of other sites can send text, but no JSON without being asked first.
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new BadBody(415, "expected Content-Type: application/json");
  if (encoding !== "identity") throw new BadBody(415, "expected a body that is not compressed");
  const text = await readText(request, limit);
  if (isDeeper(text, MAX_DEPTH)) throw new BadBody(400, `expected JSON of at most ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch {
    throw new BadBody(400, "expected JSON");
  }
}

async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const tooLarge = new BadBody(413, `expected a body of at most ${limit} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when the loop is left: the answer still goes out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > limit) throw tooLarge;
    chunks.push(chunk as Buffer);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new BadBody(400, "expected UTF-8 text");
  }
}

/** Whether JSON text nests deeper than `limit`, without building anything. */
export function isDeeper(json: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (quoted && character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "{" || character === "[") {
      if (++depth > limit) return true;
    } else if (character === "}" || character === "]") depth--;
  }
  return false;
}
