import { execFileSync, spawnSync } from "node:child_process";

/** Two hosts in network namespaces of their own, with one cable between them. */
export interface TwoHosts extends Disposable {
  readonly near: Host;
  readonly far: Host;
}

export interface Host {
  readonly address: string;
  /** What a program is started with to run there. */
  readonly prefix: readonly string[];
}

const run = (command: string, ...args: readonly string[]) =>
  execFileSync(command, args, { stdio: ["ignore", "pipe", "pipe"] });

/** Why there are no network namespaces here, or false. */
export function whyNoNetwork(): string | false {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  if (spawnSync("ip", ["-V"]).error) return "ip is not installed (Debian package iproute2)";
  try {
    using _hosts = twoHosts();
    return false;
  } catch {
    return "this machine lets nobody make network namespaces";
  }
}

/** Makes them; their addresses are of no use outside. */
export function twoHosts(): TwoHosts {
  const [near, far] = [`gleaner-near-${process.pid}`, `gleaner-far-${process.pid}`];
  const dispose = () => {
    process.off("exit", dispose);
    for (const name of [near, far]) spawnSync("ip", ["netns", "del", name]);
  };
  process.once("exit", dispose);
  try {
    for (const name of [near, far]) run("ip", "netns", "add", name);
    run("ip", "link", "add", "cable", "netns", near, "type", "veth", "peer", "name", "cable", "netns", far);
    for (const [name, address] of [
      [near, "10.200.0.1/30"],
      [far, "10.200.0.2/30"],
    ] as const) {
      run("ip", "-n", name, "address", "add", address, "dev", "cable");
      run("ip", "-n", name, "link", "set", "cable", "up");
      run("ip", "-n", name, "link", "set", "lo", "up");
    }
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    near: { address: "10.200.0.1", prefix: ["ip", "netns", "exec", near] },
    far: { address: "10.200.0.2", prefix: ["ip", "netns", "exec", far] },
    [Symbol.dispose]: dispose,
  };
}

/** Nobody's hardware address: a host takes no frames for others. */
const NOBODY = "02:00:00:00:00:99";

/**
 * From now on the host's packets to `to` vanish without a word, no reset, no ICMP: they go to a hardware address that
 * nobody has. Needs no kernel module, other than netem and nft.
 */
export function blackHole({ prefix: [program = "", ...prefix] }: Pick<Host, "prefix">, to: string): void {
  run(program, ...prefix, "ip", "neigh", "replace", to, "lladdr", NOBODY, "dev", "cable", "nud", "permanent");
}

export function mend({ prefix: [program = "", ...prefix] }: Pick<Host, "prefix">, to: string): void {
  run(program, ...prefix, "ip", "neigh", "del", to, "dev", "cable");
}
