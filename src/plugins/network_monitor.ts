import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { NothingHere } from "../model/run.ts";
import type { MetricSpec, Sample } from "../model/sample.ts";
import { readLibrary } from "./host/library-network.ts";
import { networkFolder, readDevices } from "./host/netdev.ts";
import { patterns } from "./host/patterns.ts";
import { isLinux, root } from "./host/root.ts";
import { readSnmp, readSocketsUsed } from "./host/snmp.ts";
import { readConnections } from "./host/tcp.ts";

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

const config = z.strictObject({
  root,
  exclude_devices: patterns
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

/** Reads the network of a Linux host whose file system lies at the configured root. */
export async function readLinux(config: Config): Promise<readonly Sample<keyof typeof METRICS>[]> {
  const net = networkFolder(config.root);
  const parts = [
    await readDevices(config.root, net, config.exclude_devices),
    config.include_connections ? await readConnections(net) : [],
    readSocketsUsed(net),
    readSnmp(net),
  ];
  return parts.flat();
}

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
        const samples = isLinux(config.root) ? await readLinux(config) : await readLibrary(config);
        if (samples.length === 0) throw new NothingHere(`nothing to read below ${config.root}`);
        return { samples };
      },
    },
  },
});
