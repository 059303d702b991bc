import { type Service, startService } from "./service.ts";

/** A Redis that keeps nothing on disk. @param more further options */
export const startRedis = (...more: readonly string[]): Promise<Service> =>
  startService({
    program: "redis-server",
    args: ({ folder, port }) => ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", "", ...more],
  });
