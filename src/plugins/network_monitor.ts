import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Systeminformation } from "systeminformation";
import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";

const device = { labels: ["device"], maxSeries: 512 } as const;
const counter = { ...device, type: "counter" } as const;

const METRICS = {
  network_receive_bytes_total: { ...counter, help: "Bytes received.", unit: "bytes" },
  network_receive_packets_total: { ...counter, help: "Packets received." },
  network_receive_errors_total: { ...counter, help: "Packets received with an error." },
  network_receive_drop_total: { ...counter, help: "Received packets that were dropped." },
  network_receive_multicast_total: { ...counter, help: "Multicast packets received." },
  network_transmit_bytes_total: { ...counter, help: "Bytes sent.", unit: "bytes" },
  network_transmit_packets_total: { ...counter, help: "Packets sent." },
  network_transmit_errors_total: { ...counter, help: "Packets that could not be sent." },
  network_transmit_drop_total: { ...counter, help: "Packets dropped on the way out." },
  network_up: { ...device, help: "Whether the device is up and has a carrier." },
  network_speed_bytes: {
    ...device,
    help: "Speed of the link in bytes per second, where the driver tells.",
    unit: "bytes",
  },
  tcp_connections: { help: "TCP sockets in each state, of IPv4 and IPv6.", labels: ["state"], maxSeries: 16 },
  sockets_used: { help: "Sockets in use, of every protocol." },
  tcp_active_opens_total: { help: "TCP connections opened from here.", type: "counter" },
  tcp_passive_opens_total: { help: "TCP connections accepted.", type: "counter" },
  tcp_failed_attempts_total: { help: "TCP connection attempts that failed.", type: "counter" },
  tcp_received_segments_total: { help: "TCP segments received.", type: "counter" },
  tcp_sent_segments_total: { help: "TCP segments sent, without retransmitted ones.", type: "counter" },
  tcp_retransmitted_segments_total: { help: "TCP segments sent again.", type: "counter" },
  tcp_receive_errors_total: { help: "TCP segments received in error.", type: "counter" },
  udp_receive_errors_total: { help: "UDP datagrams over IPv4 that could not be delivered.", type: "counter" },
  udp_receive_buffer_errors_total: { help: "UDP datagrams over IPv4 lost to a full receive buffer.", type: "counter" },
  udp_send_buffer_errors_total: { help: "UDP datagrams over IPv4 lost to a full send buffer.", type: "counter" },
} as const satisfies Record<string, MetricSpec>;

type Metric = keyof typeof METRICS;
type Samples = readonly Sample<Metric>[];

/** A sample, or nothing where the source lacks the value: an absent metric is no error. */
function one(metric: Metric, value: number | null | undefined, labels?: Record<string, string>): Samples {
  if (typeof value !== "number" || !Number.isFinite(value)) return [];
  return [labels ? { metric, value, labels } : { metric, value }];
}

/** One pattern for all, anchored as in Prometheus. */
const excluder = (patterns: readonly string[]): ((device: string) => boolean) => {
  const expression = new RegExp(`^(?:${patterns.map((text) => `(?:${text})`).join("|")})$`);
  return (device) => patterns.length > 0 && expression.test(device);
};

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

/** Every state has a series, at 0 too: series must not come and go with the connections. */
function connectionSamples(states: readonly (TcpState | undefined)[]): Samples {
  const counts = new Map<TcpState | undefined, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return TCP_STATES.flatMap((state) => one("tcp_connections", counts.get(state) ?? 0, { state }));
}

// ---- Linux -----------------------------------------------------------------------------------

/** Columns of /proc/net/dev that are kept, by their place after the name. */
const DEVICE_COLUMNS: readonly (readonly [Metric, number])[] = [
  ["network_receive_bytes_total", 0],
  ["network_receive_packets_total", 1],
  ["network_receive_errors_total", 2],
  ["network_receive_drop_total", 3],
  ["network_receive_multicast_total", 7],
  ["network_transmit_bytes_total", 8],
  ["network_transmit_packets_total", 9],
  ["network_transmit_errors_total", 10],
  ["network_transmit_drop_total", 11],
];

/**
 * /proc/net/dev: device -> columns.
 * Names may hold dots and colons (`eth0.100`, `eth0:1`), and old kernels put no space after the last colon.
 */
export function parseDevices(text: string): ReadonlyMap<string, readonly number[]> {
  const lines = [...text.matchAll(/^\s*(\S+):\s*(\d[\d ]*)$/gm)];
  return new Map(lines.map(([, name = "", columns = ""]) => [name, columns.trim().split(/ +/).map(Number)]));
}

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

/** /proc/net/tcp and tcp6: the state of each socket, the fourth column. */
export function parseTcpStates(text: string): readonly (TcpState | undefined)[] {
  const rows = text.matchAll(/^ *\d+: [\dA-F]+:[\dA-F]+ [\dA-F]+:[\dA-F]+ ([\dA-F]{2}) /gm);
  return Array.from(rows, (row) => TCP_STATES[Number.parseInt(row[1] ?? "", 16) - 1]);
}

/** A file of /proc, empty where absent. Its text comes from memory: 10 µs in place, 170 µs by way of the thread pool. */
function readProc(...path: string[]): string {
  try {
    return readFileSync(join(...path), "utf8");
  } catch {
    return "";
  }
}
/**
 * A file that may take its time: the kernel walks a big table for /proc/net/tcp (1 ms and more), and asks drivers for
 * those of sysfs. Empty where absent or refused, as `speed` and `carrier` of a device that is down are.
 */
const readSlow = (...path: string[]): Promise<string> => readFile(join(...path), "utf8").catch(() => "");

/** Megabit per second, as sysfs and the library give it, to bytes per second; -1 and 0 mean that nobody knows. */
const speedSamples = (megabits: number | null | undefined, labels: { device: string }): Samples =>
  megabits && megabits > 0 ? one("network_speed_bytes", (megabits * 1e6) / 8, labels) : [];

/** Link state and speed from sysfs. Tunnels and the loopback have no operational state: their carrier decides. */
async function readLink(root: string, device: string): Promise<Samples> {
  const file = async (name: string) => (await readSlow(root, "sys/class/net", device, name)).trim();
  const state = await file("operstate");
  const up = state === "up" || (state === "unknown" && (await file("carrier")) === "1");
  const speed = speedSamples(Number(await file("speed")), { device });
  return [...(state ? one("network_up", up ? 1 : 0, { device }) : []), ...speed];
}

async function readDevices(root: string, net: string, patterns: readonly string[]): Promise<Samples> {
  const excluded = excluder(patterns);
  const devices = [...parseDevices(readProc(net, "dev"))].filter(([name]) => !excluded(name));
  const counters = devices.flatMap(([name, columns]) =>
    DEVICE_COLUMNS.flatMap(([metric, column]) => one(metric, columns[column], { device: name })),
  );
  const links = await Promise.all(devices.map(([name]) => readLink(root, name)));
  return [...counters, ...links.flat()];
}

async function readConnections(net: string): Promise<Samples> {
  const files = await Promise.all([readSlow(net, "tcp"), readSlow(net, "tcp6")]);
  return files.some(Boolean) ? connectionSamples(files.flatMap(parseTcpStates)) : [];
}

/**
 * Reads the network of a Linux host whose file system lies at the configured root.
 * `/proc/net` is that of the reading process; below another root, process 1 is the one in the host's own network.
 */
export async function readLinux(config: Config): Promise<Samples> {
  const { root } = config;
  const ofHost = join(root, "proc/1/net");
  const net = root !== "/" && readProc(ofHost, "dev") ? ofHost : join(root, "proc/net");
  const snmp = parseSnmp(readProc(net, "snmp"));
  const used = /^sockets: used (\d+)/m.exec(readProc(net, "sockstat"));
  const parts = [
    await readDevices(root, net, config.exclude_devices),
    config.include_connections ? await readConnections(net) : [],
    used ? one("sockets_used", Number(used[1])) : [],
    Object.entries(SNMP_METRICS).flatMap(([key, metric]) => one(metric, snmp.get(key))),
  ];
  return parts.flat();
}

// ---- macOS, Windows, BSD ---------------------------------------------------------------------

/** What the library reports of a host without /proc. */
export interface LibraryAnswers {
  readonly counters: readonly Systeminformation.NetworkStatsData[];
  readonly interfaces: readonly Pick<Systeminformation.NetworkInterfacesData, "iface" | "speed">[];
  readonly connections: readonly Pick<Systeminformation.NetworkConnectionsData, "protocol" | "state">[] | undefined;
}

/** netstat's and ss' spellings: `ESTABLISHED`, `FIN_WAIT_1`, `TIME-WAIT`, `LISTENING`. */
function namedState(text: string): TcpState | undefined {
  const name = text
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^fin_wait_/, "fin_wait")
    .replace(/^listening$/, "listen");
  return TCP_STATES.find((state) => state === name);
}

/** The same metrics from the library's answers; it counts no packets. */
export function fromLibrary({ counters, interfaces, connections }: LibraryAnswers, config: Config): Samples {
  const excluded = excluder(config.exclude_devices);
  const devices = counters.filter(({ iface }) => !excluded(iface));
  const samples = devices.flatMap((stats) => {
    const labels = { device: stats.iface };
    const state = stats.operstate.toLowerCase();
    return [
      ...one("network_receive_bytes_total", stats.rx_bytes, labels),
      ...one("network_receive_errors_total", stats.rx_errors, labels),
      ...one("network_receive_drop_total", stats.rx_dropped, labels),
      ...one("network_transmit_bytes_total", stats.tx_bytes, labels),
      ...one("network_transmit_errors_total", stats.tx_errors, labels),
      ...one("network_transmit_drop_total", stats.tx_dropped, labels),
      // Unknown is what the library says of the loopback and of tunnels that exist and count.
      ...one("network_up", state === "up" || state === "unknown" ? 1 : 0, labels),
      ...speedSamples(interfaces.find(({ iface }) => iface === stats.iface)?.speed, labels),
    ];
  });
  const tcp = connections?.filter(({ protocol }) => protocol.startsWith("tcp"));
  return tcp ? [...samples, ...connectionSamples(tcp.map(({ state }) => namedState(state)))] : samples;
}

/** Asks the library; it spawns processes. */
export async function readLibrary(config: Config): Promise<Samples> {
  const { default: library } = await import("systeminformation");
  const [counters, interfaces, connections] = await Promise.all([
    library.networkStats("*"),
    library.networkInterfaces(),
    config.include_connections ? library.networkConnections() : undefined,
  ]);
  return fromLibrary({ counters, interfaces: [interfaces].flat(), connections }, config);
}

// ---- Configuration ---------------------------------------------------------------------------

const isPattern = (text: string): boolean => {
  try {
    return Boolean(new RegExp(`^(?:${text})$`));
  } catch {
    return false;
  }
};

const config = z.strictObject({
  root: z
    .string()
    .min(1)
    .max(4096)
    .default("/")
    .describe("Where the host's file system is mounted, e.g. /host in a container."),
  exclude_devices: z
    .array(z.string().max(1000).refine(isPattern, "expected a regular expression"))
    .max(100)
    .default(["veth.*", "docker\\d+", "br-[0-9a-f]{12}", "(cali|cni|flannel|lxc|tap|vnet|ifb|dummy).*"])
    .describe(
      "Network devices to leave out, as anchored regular expressions; those that container engines make by default.",
    ),
  include_connections: z
    .boolean()
    .default(true)
    .describe("Count TCP connections by state; a host with very many of them may want to save the reading."),
});
type Config = z.output<typeof config>;

/** Traffic, errors and link state of network devices, and the host's TCP and UDP counters. */
export const networkMonitor = definePlugin({
  id: "network_monitor",
  title: "Network",
  summary: "Traffic, errors and link state of network devices, and TCP and UDP counters of this host.",
  category: "network",
  version: "1.0.0",
  enabledByDefault: true,
  config,
  metrics: METRICS,
  jobs: {
    network: {
      summary: "Reads the counters of every network device and of TCP and UDP.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        // A root other than / is a mounted Linux tree on any platform.
        const linux = config.root !== "/" || process.platform === "linux";
        const samples = linux ? await readLinux(config) : await readLibrary(config);
        if (samples.length === 0) throw new NothingHere(`nothing to read below ${config.root}`);
        return { samples };
      },
    },
  },
});
