import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Service, startService } from "./service.ts";

/** A Caddy whose admin endpoint is on the service's port. @param http its app of that name */
export const startCaddy = (http: object): Promise<Service> =>
  startService({
    program: "caddy",
    env: ({ folder }) => ({ XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
    args: ({ folder }) => ["run", "--config", join(folder, "caddy.json")],
    prepare: ({ folder, port }) =>
      writeFile(join(folder, "caddy.json"), JSON.stringify({ admin: { listen: `127.0.0.1:${port}` }, apps: { http } })),
  });
