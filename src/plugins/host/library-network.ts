import type { Systeminformation } from "systeminformation";
import { speedSamples } from "./netdev.ts";
import { matcher } from "./patterns.ts";
import { one } from "./sample.ts";
import { connectionSamples, namedState } from "./tcp.ts";

/** What the library reports of a host without /proc: macOS, Windows, BSD. */
export interface LibraryAnswers {
  readonly counters: readonly Systeminformation.NetworkStatsData[];
  readonly interfaces: readonly Pick<Systeminformation.NetworkInterfacesData, "iface" | "speed">[];
  readonly connections: readonly Pick<Systeminformation.NetworkConnectionsData, "protocol" | "state">[] | undefined;
}

/** What the configuration asks for; the names are its own. */
interface Wanted {
  readonly exclude_devices: readonly string[];
  readonly include_connections: boolean;
}

/** The same metrics as on Linux, from the library's answers; it counts no packets. */
export function fromLibrary({ counters, interfaces, connections }: LibraryAnswers, wanted: Wanted) {
  const excluded = matcher(wanted.exclude_devices);
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
  const states = tcp && Map.groupBy(tcp, ({ state }) => namedState(state));
  return [...samples, ...(states ? connectionSamples(countsOf(states)) : [])];
}

const countsOf = <K>(groups: ReadonlyMap<K, readonly unknown[]>): ReadonlyMap<K, number> =>
  new Map([...groups].map(([key, members]) => [key, members.length]));

/** Asks the library; it spawns processes. */
export async function readLibrary(wanted: Wanted) {
  const { default: library } = await import("systeminformation");
  const [counters, interfaces, connections] = await Promise.all([
    library.networkStats("*"),
    library.networkInterfaces(),
    wanted.include_connections ? library.networkConnections() : undefined,
  ]);
  return fromLibrary({ counters, interfaces: [interfaces].flat(), connections }, wanted);
}
