import { readSlow } from "./proc.ts";
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

/** /proc/net/tcp and tcp6: the state of each socket, the fourth column. */
export function parseTcpStates(text: string): readonly (TcpState | undefined)[] {
  const rows = text.matchAll(/^ *\d+: [\dA-F]+:[\dA-F]+ [\dA-F]+:[\dA-F]+ ([\dA-F]{2}) /gm);
  return Array.from(rows, (row) => TCP_STATES[Number.parseInt(row[1] ?? "", 16) - 1]);
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
export function connectionSamples(states: readonly (TcpState | undefined)[]) {
  const counts = new Map<TcpState | undefined, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return TCP_STATES.flatMap((state) => one("tcp_connections", counts.get(state) ?? 0, { state }));
}

/** TCP sockets of IPv4 and IPv6 by state; none where `net` tells of neither. */
export async function readConnections(net: string) {
  const files = await Promise.all([readSlow(net, "tcp"), readSlow(net, "tcp6")]);
  return files.some(Boolean) ? connectionSamples(files.flatMap(parseTcpStates)) : [];
}
