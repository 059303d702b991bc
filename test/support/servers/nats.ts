import { freePort } from "./port.ts";
import { type Place, type Service, startService } from "./service.ts";

/** A NATS server whose monitoring is on the service's port, and its clients' on another. @param more further options */
export async function startNats(...more: readonly string[]): Promise<Service & { readonly client: number }> {
  const client = await freePort();
  const args = ({ port }: Place) => ["-a", "127.0.0.1", "-p", `${client}`, "-m", `${port}`, ...more];
  return Object.assign(await startService({ program: "nats-server", args }), { client });
}
