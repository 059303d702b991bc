import { writeFile } from "node:fs/promises";
import { type Service, startService } from "./service.ts";

/** A mosquitto that tells its statistics every second. @param settings further lines of its file */
export const startMosquitto = (...settings: readonly string[]): Promise<Service> =>
  startService({
    program: "mosquitto",
    prepare: ({ folder, port }) =>
      writeFile(
        `${folder}/conf`,
        ["user root", "sys_interval 1", `listener ${port} 127.0.0.1`, ...settings, ""].join("\n"),
      ),
    args: ({ folder }) => ["-c", `${folder}/conf`],
  });
