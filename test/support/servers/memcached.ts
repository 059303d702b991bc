import { type Service, startService } from "./service.ts";

/** A memcached, over TCP. @param more further options */
export const startMemcached = (...more: readonly string[]): Promise<Service> =>
  startService({
    program: "memcached",
    args: ({ port }) => ["-u", "root", "-l", "127.0.0.1", "-p", `${port}`, "-U", "0", ...more],
  });
