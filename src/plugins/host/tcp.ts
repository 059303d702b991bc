import { createReadStream } from "node:fs";
import { join } from "node:path";
import { one } from "./sample.ts";

/** States in the kernel's numbering from 1 (include/net/tcp_states.h), which /proc/net/tcp shows in hexadecimal. */
const TCP_STATES = [
  "established",
  "syn_sent",
  "syn_recv",
  "fin_wait1",
  "fin_wait2",
  "time_wait",
  "close",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
  "new_syn_recv",
] as const;
type TcpState = (typeof TCP_STATES)[number];

/** How many sockets are in each state; undefined for one that is new to us. */
export type StateCounts = ReadonlyMap<TcpState | undefined, number>;

const SOCKET = /^ *\d+: [\dA-F]+:[\dA-F]+ [\dA-F]+:[\dA-F]+ ([\dA-F]{2}) /;

/**
 * Counts the sockets of /proc/net/tcp and tcp6, whose fourth column is the state.
 * @param pieces of the text, cut anywhere: a busy host has a hundred thousand lines of it, 15 MB, that are never held together
 */
export async function countStates(pieces: AsyncIterable<string> | Iterable<string>): Promise<StateCounts> {
  const counts = new Map<TcpState | undefined, number>();
  const count = (line: string) => {
    const [, code] = SOCKET.exec(line) ?? [];
    if (code === undefined) return;
    const state = TCP_STATES[Number.parseInt(code, 16) - 1];
    counts.set(state, (counts.get(state) ?? 0) + 1);
  };
  let begun = "";
  for await (const piece of pieces) {
    const lines = (begun + piece).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) count(line);
  }
  count(begun);
  return counts;
}

/** netstat's and ss' spellings: `ESTABLISHED`, `FIN_WAIT_1`, `TIME-WAIT`, `LISTENING`. */
export function namedState(text: string): TcpState | undefined {
  const name = text
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^fin_wait_/, "fin_wait")
    .replace(/^listening$/, "listen");
  return TCP_STATES.find((state) => state === name);
}

/** Every state has a series, at 0 too: series must not come and go with the connections. */
export function connectionSamples(...counts: readonly StateCounts[]) {
  const inAll = (state: TcpState) => counts.reduce((sum, some) => sum + (some.get(state) ?? 0), 0);
  return TCP_STATES.flatMap((state) => one("tcp_connections", inAll(state), { state }));
}

/** TCP sockets of IPv4 and IPv6 by state; none where `net` tells of neither. */
export async function readConnections(net: string) {
  const files = await Promise.all([readStates(net, "tcp"), readStates(net, "tcp6")]);
  const there = files.filter((file) => file !== undefined);
  return there.length > 0 ? connectionSamples(...there) : [];
}

/** Undefined where the file is absent or refused. */
async function readStates(...path: string[]): Promise<StateCounts | undefined> {
  try {
    return await countStates(createReadStream(join(...path), { encoding: "latin1" }));
  } catch {
    return undefined;
  }
}
