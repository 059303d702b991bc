import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Service, startService } from "./service.ts";

/** An HAProxy whose statistics are on the service's port, at `/stats;csv`. @param sections further ones of its file */
export const startHaproxy = (...sections: readonly string[]): Promise<Service> =>
  startService({
    program: "haproxy",
    prepare: ({ folder, port }) =>
      writeFile(
        join(folder, "haproxy.cfg"),
        [
          "global\n  maxconn 200",
          "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s",
          `frontend stats\n  bind 127.0.0.1:${port}\n  stats enable\n  stats uri /stats`,
          ...sections,
          "",
        ].join("\n"),
      ),
    args: ({ folder }) => ["-db", "-f", join(folder, "haproxy.cfg")],
  });
