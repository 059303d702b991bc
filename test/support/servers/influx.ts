import { writeFile } from "node:fs/promises";
import { type Service, startService } from "./service.ts";

/** An InfluxDB 1.x that reports to nobody. @param http further settings of its section `[http]` */
export const startInflux = (...http: readonly string[]): Promise<Service> =>
  startService({
    program: "influxd",
    prepare: ({ folder, port }) =>
      writeFile(
        `${folder}/conf`,
        [
          "reporting-disabled = true",
          'bind-address = "127.0.0.1:0"',
          "[meta]",
          `dir = "${folder}/meta"`,
          "[data]",
          `dir = "${folder}/data"`,
          `wal-dir = "${folder}/wal"`,
          "[http]",
          `bind-address = "127.0.0.1:${port}"`,
          ...http,
          "[monitor]",
          "store-enabled = false",
        ].join("\n"),
      ),
    args: ({ folder }) => ["-config", `${folder}/conf`],
  });
