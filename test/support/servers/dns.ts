import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "../eventually.ts";
import type { TemporaryFolder } from "../folder.ts";
import { startProgram } from "../program.ts";
import { freePort } from "./port.ts";

/** A server that a test started. */
export interface TestServer {
  readonly port: number;
  stop(): Promise<void>;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Waits until something listens on a TCP port. */
export const listening = (port: number): Promise<void> =>
  eventually(async () => {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
    } finally {
      socket.destroy();
    }
  });

/** dnsmasq that knows what its options say and asks nobody else. */
export async function startDnsmasq(folder: TemporaryFolder, options: readonly string[]): Promise<TestServer> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["--user=root", "--group=root"] : [];
  const own = ["--keep-in-foreground", `--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces"];
  const bare = ["--no-resolv", "--no-hosts", "--no-poll", "--conf-file=/dev/null", "--pid-file=", "--log-facility=-"];
  const program = startProgram("dnsmasq", [...own, ...bare, ...user, ...options], { cwd: folder.path, env: { PATH } });
  await listening(port);
  return { port, stop: () => program.stop() };
}

/** unbound with a control channel on a unix socket. @param settings lines for its `server:` section */
export async function startUnbound(
  folder: TemporaryFolder,
  settings: readonly string[],
): Promise<TestServer & { readonly control: string; readonly tlsPort: number }> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const control = folder.at("control");
  const server = [
    'chroot: ""',
    'username: ""',
    'pidfile: ""',
    `directory: "${folder.path}"`,
    "do-daemonize: no",
    "use-syslog: no",
    "module-config: iterator",
    `interface: 127.0.0.1@${port}`,
    `interface: 127.0.0.1@${tlsPort}`,
    `tls-port: ${tlsPort}`,
    "extended-statistics: yes",
    ...settings,
  ];
  const file = folder.write(
    "unbound.conf",
    [
      "server:",
      ...server.map((line) => `  ${line}`),
      "remote-control:",
      "  control-enable: yes",
      "  control-use-cert: no",
      `  control-interface: ${control}`,
      "",
    ].join("\n"),
  );
  const program = startProgram("unbound", ["-d", "-p", "-c", file], { cwd: folder.path, env: { PATH } });
  await listening(port);
  return { port, tlsPort, control, stop: () => program.stop() };
}
