import { CollectError } from "../../model/run.ts";
import { type Answer, MAX_HEAD_BYTES, malformed } from "./answer.ts";
import { type Body, createBody } from "./body.ts";
import { createChunked, type Feed, GOES_ON } from "./chunked.ts";
import { framingOf, type Head, keepsAlive, parseHead } from "./head.ts";
import type { Scratch } from "./scratch.ts";

/** An answer, and whether its connection can take another request. */
export interface Whole extends Answer {
  readonly keepsAlive: boolean;
}

/** Puts an answer together from what a connection brings, in whatever pieces it comes. */
export interface Reader {
  /** Whether anything has come. */
  readonly hasBegun: boolean;
  /** Takes a piece, which may be overwritten afterwards. @throws {CollectError} bad_data when this is no proper answer */
  push(data: Buffer): Whole | undefined;
  /**
   * The connection ended, in good order or by an error.
   * @throws {CollectError} bad_data when the answer is not whole; without any answer the error, or unreachable
   */
  end(cause?: Error): Whole;
  /** Gives back what was borrowed: nothing more is read. */
  release(): void;
}

const END_OF_HEAD = "\r\n\r\n";
const START = "HTTP/1.";
const SWITCHING = 101;

/**
 * Reads one HTTP/1.x answer to a GET: what a kit needs, and nothing that is not plain. Anything that two readers could
 * understand in two ways is refused, and half an answer is never handed on as a whole one.
 */
export function createReader(scratch?: Scratch): Reader {
  const readHead = createHeadReader();
  let hasBegun = false;
  let rest: Rest | undefined;
  return {
    get hasBegun() {
      return hasBegun;
    },
    push(data) {
      hasBegun = true;
      if (rest) return rest.push(data);
      const found = readHead(data);
      if (!found) return undefined;
      rest = createRest(found.head, scratch);
      return rest.push(found.after);
    },
    end(cause) {
      if (!hasBegun) throw cause ?? new CollectError("unreachable", "the connection was closed without an answer");
      if (cause) throw malformed("its connection broke off", cause);
      if (!rest) throw malformed("it ended within its head");
      return rest.end();
    },
    release: () => rest?.release(),
  };
}

/** The head of the answer proper, and what came with it of its body. */
interface Found {
  readonly head: Head;
  readonly after: Buffer;
}

function createHeadReader(): (data: Buffer) => Found | undefined {
  let waiting: Buffer | undefined;
  let before = 0;
  return function read(data): Found | undefined {
    const all = waiting ? Buffer.concat([waiting, data]) : data;
    const end = all.indexOf(END_OF_HEAD, Math.max(0, (waiting?.length ?? 0) - END_OF_HEAD.length), "latin1");
    const length = end === -1 ? all.length : end + END_OF_HEAD.length;
    if (before + length > MAX_HEAD_BYTES) throw malformed("its head is too long");
    if (end === -1) {
      if (!START.startsWith(all.toString("latin1", 0, START.length))) throw malformed("it does not start with HTTP/1");
      waiting = waiting ? all : Buffer.from(all);
      return undefined;
    }
    before += length;
    waiting = undefined;
    const head = parseHead(all.toString("latin1", 0, end));
    const after = all.subarray(length);
    if (head.status === SWITCHING) throw malformed("it switches to another protocol");
    if (head.status >= 200) return { head, after };
    // 100 Continue, 103 Early Hints: the answer proper is still to come.
    return after.length === 0 ? undefined : read(after);
  };
}

/** What follows a head. */
type Rest = Pick<Reader, "push" | "release"> & { end(): Whole };

function createRest(head: Head, scratch: Scratch | undefined): Rest {
  const framing = framingOf(head);
  const wanted = framing.kind === "length" ? framing.length : Number.POSITIVE_INFINITY;
  const body = createBody(wanted, scratch);
  const feed = framing.kind === "chunked" ? createChunked(body.append) : upTo(wanted, body);
  const whole = (isReusable: boolean): Whole => ({
    status: head.status,
    headers: head.headers,
    body: body.content(head.headers),
    keepsAlive: isReusable && keepsAlive(head),
  });
  return {
    push(data) {
      const spare = feed(data);
      // More than was asked for: whose answer the next one would be is anyone's guess.
      return spare === GOES_ON ? undefined : whole(spare === 0);
    },
    end() {
      if (framing.kind !== "close") throw malformed(`it ended after ${body.length} bytes of its body`);
      return whole(false);
    },
    release: body.release,
  };
}

function upTo(length: number, body: Body): Feed {
  return (data) => {
    const part = data.subarray(0, length - body.length);
    body.append(part);
    return body.length === length ? data.length - part.length : GOES_ON;
  };
}
