import { join } from "node:path";
import { matcher } from "./patterns.ts";
import { readProc, readSlow } from "./proc.ts";
import { one } from "./sample.ts";

/** Columns of /proc/net/dev that are kept, by their place after the name. */
const COLUMNS = [
  ["network_receive_bytes_total", 0],
  ["network_receive_packets_total", 1],
  ["network_receive_errors_total", 2],
  ["network_receive_drop_total", 3],
  ["network_receive_multicast_total", 7],
  ["network_transmit_bytes_total", 8],
  ["network_transmit_packets_total", 9],
  ["network_transmit_errors_total", 10],
  ["network_transmit_drop_total", 11],
] as const;

/**
 * /proc/net/dev: device -> columns.
 * Names may hold dots and colons (`eth0.100`, `eth0:1`), and old kernels put no space after the last colon.
 */
export function parseDevices(text: string): ReadonlyMap<string, readonly number[]> {
  const lines = [...text.matchAll(/^\s*(\S+):\s*(\d[\d ]*)$/gm)];
  return new Map(lines.map(([, name = "", columns = ""]) => [name, columns.trim().split(/ +/).map(Number)]));
}

/** Megabit per second, as sysfs and the library give it, to bytes per second; -1 and 0 mean that nobody knows. */
export const speedSamples = (megabits: number | null | undefined, labels: { readonly device: string }) =>
  megabits && megabits > 0 ? one("network_speed_bytes", (megabits * 1e6) / 8, labels) : [];

/**
 * Link state and speed from sysfs; `speed` and `carrier` of a device that is down are refused.
 * Tunnels and the loopback have no operational state: their carrier decides.
 */
async function readLink(root: string, device: string) {
  const file = async (name: string) => (await readSlow(root, "sys/class/net", device, name)).trim();
  const state = await file("operstate");
  const up = state === "up" || (state === "unknown" && (await file("carrier")) === "1");
  const speed = speedSamples(Number(await file("speed")), { device });
  return [...(state ? one("network_up", up ? 1 : 0, { device }) : []), ...speed];
}

/** Counters and links of every device that is not excluded. `net` is the folder of `root`'s /proc/net. */
export async function readDevices(root: string, net: string, exclude: readonly string[]) {
  const excluded = matcher(exclude);
  const devices = [...parseDevices(readProc(net, "dev"))].filter(([name]) => !excluded(name));
  const counters = devices.flatMap(([device, columns]) =>
    COLUMNS.flatMap(([metric, column]) => one(metric, columns[column], { device })),
  );
  const links = await Promise.all(devices.map(([name]) => readLink(root, name)));
  return [...counters, ...links.flat()];
}

/** `/proc/net` is that of the reading process; below another root, process 1 is the one in the host's own network. */
export function networkFolder(root: string): string {
  const ofHost = join(root, "proc/1/net");
  return root !== "/" && readProc(ofHost, "dev") ? ofHost : join(root, "proc/net");
}
