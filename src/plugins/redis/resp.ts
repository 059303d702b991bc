import { CollectError } from "../../model/run.ts";
import type { Peer } from "../client/conversation.ts";

/** A command as an array of strings that are told by their length, so that any byte may be in them. */
export function encodeCommand(...parts: readonly string[]): string {
  const counted = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  return `*${parts.length}\r\n${counted.join("")}`;
}

/** Longest bulk string: INFO of a cluster node with many clients has some 20 kB. */
const MAX_BULK = 1024 * 1024;

/**
 * The reply to one command whose answer is text or a number (RESP 2: simple string, bulk string, integer).
 * @throws {CollectError} bad_data: an error the server answered with (its text), or what is no such reply
 */
export async function readReply(peer: Peer): Promise<string> {
  const line = await peer.line();
  const text = line.slice(1);
  if (line.startsWith("+") || line.startsWith(":")) return text;
  if (line.startsWith("-")) throw new CollectError("bad_data", text.slice(0, 300));
  const length = line.startsWith("$") && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(length <= MAX_BULK)) throw new CollectError("bad_data", "what answers there is no Redis");
  const value = (await peer.bytes(length + 2)).subarray(0, length);
  return value.toString("utf8");
}
