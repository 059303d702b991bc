import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an IP address is this machine itself; IPv4 written as IPv6 (`::ffff:127.0.0.1`) included. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Whether a configured listen host names this machine only. Other names are judged by the address they bind to. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || isLoopback(name);
}

const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/;

/** Host name of a Host header or of `host[:port]`, in lower case and without brackets; null when it is none. */
export function hostName(host: string): string | null {
  const match = HOST.exec(host.toLowerCase());
  return match?.[1] ?? match?.[2] ?? null;
}

/** `host:port` for messages and URLs, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * What failed attempts are counted by: an IPv4 address, or the first 64 bits of an IPv6 address,
 * because one subscriber owns a whole /64 and could take a new address for each guess.
 */
export function clientKey(peer: string): string {
  const address = peer.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array<string>(Math.max(zeros, 0)).fill("0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
