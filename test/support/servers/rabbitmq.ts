import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./port.ts";
import { type Service, startService } from "./service.ts";

/** The user and password that come with it, on the loopback only. */
const ADMIN = `Basic ${Buffer.from("guest:guest").toString("base64")}`;

/**
 * A RabbitMQ with its management interface, on the service's port. It brings its own epmd, which is not left behind: started
 * by the server itself, it would be a daemon on a port that is the same for all.
 */
export async function startRabbitMQ(): Promise<Service> {
  const [amqp, epmd, dist] = [await freePort(), await freePort(), await freePort()];
  return startService({
    program: "rabbitmq-server",
    async prepare({ folder, port }) {
      const settings = [
        `listeners.tcp.1 = 127.0.0.1:${amqp}`,
        "management.tcp.ip = 127.0.0.1",
        `management.tcp.port = ${port}`,
        // Default 5 s: how old what the management interface tells may be.
        "collect_statistics_interval = 200",
      ];
      await writeFile(join(folder, "rabbitmq.conf"), `${settings.join("\n")}\n`);
      await writeFile(join(folder, "plugins"), "[rabbitmq_management].\n");
      await writeFile(
        join(folder, "start"),
        'epmd -port "$ERL_EPMD_PORT" &\nexec /usr/lib/rabbitmq/bin/rabbitmq-server\n',
      );
    },
    command: ({ folder }) => ["/bin/sh", [join(folder, "start")]],
    env: ({ folder, port }) => ({
      ERL_EPMD_PORT: `${epmd}`,
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_DIST_PORT: `${dist}`,
      RABBITMQ_NODENAME: `gleaner-${port}@localhost`,
      RABBITMQ_MNESIA_BASE: join(folder, "data"),
      RABBITMQ_LOG_BASE: join(folder, "log"),
      RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
      RABBITMQ_PID_FILE: join(folder, "pid"),
    }),
    ready: async ({ port }) => void (await manage(port, "GET", "/api/overview")),
    patience: 60_000,
  });
}

/** Asks the management interface as its administrator. @throws for any status but 2xx */
export async function manage(port: number, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method, headers: { authorization: ADMIN, "content-type": "application/json" } },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
