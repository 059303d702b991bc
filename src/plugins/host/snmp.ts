import { readProc } from "./proc.ts";
import { one } from "./sample.ts";

const SNMP_METRICS = {
  "Tcp:ActiveOpens": "tcp_active_opens_total",
  "Tcp:PassiveOpens": "tcp_passive_opens_total",
  "Tcp:AttemptFails": "tcp_failed_attempts_total",
  "Tcp:InSegs": "tcp_received_segments_total",
  "Tcp:OutSegs": "tcp_sent_segments_total",
  "Tcp:RetransSegs": "tcp_retransmitted_segments_total",
  "Tcp:InErrs": "tcp_receive_errors_total",
  "Udp:InErrors": "udp_receive_errors_total",
  "Udp:RcvbufErrors": "udp_receive_buffer_errors_total",
  "Udp:SndbufErrors": "udp_send_buffer_errors_total",
} as const;

/** /proc/net/snmp: lines in pairs, `Tcp: names…` over `Tcp: numbers…`. */
export function parseSnmp(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").map((line) => line.split(" "));
  return new Map(
    lines.flatMap((names, i) => {
      const values = lines[i + 1];
      if (!values || i % 2 === 1 || values[0] !== names[0]) return [];
      return names.slice(1).map((name, column): [string, number] => [`${names[0]}${name}`, Number(values[column + 1])]);
    }),
  );
}

/** TCP and UDP counters of the host. The kernel's `Udp:` lines count IPv4 only. */
export function readSnmp(net: string) {
  const counters = parseSnmp(readProc(net, "snmp"));
  return Object.entries(SNMP_METRICS).flatMap(([key, metric]) => one(metric, counters.get(key)));
}

/** Sockets in use, from /proc/net/sockstat. */
export function readSocketsUsed(net: string) {
  const used = /^sockets: used (\d+)/m.exec(readProc(net, "sockstat"));
  return used ? one("sockets_used", Number(used[1])) : [];
}
