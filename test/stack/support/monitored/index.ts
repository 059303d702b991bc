import type { TemporaryFolder } from "../../../support/folder.ts";
import { DATABASES } from "./databases.ts";
import { NETWORK } from "./network.ts";
import { documents, program, type Starter, type Targets, target } from "./target.ts";
import { WEB } from "./web.ts";

/** Programs and an engine that are not here, with the answers of real ones; and this machine itself. */
const host: Starter = async (parts) => {
  const engine = await documents(parts, "docker_monitor", "docker-20");
  const disks = program("smart_monitor", "every-kind-of-disk", "smartctl");
  return {
    ...target("docker_monitor", { url: engine.replace("http:", "tcp:") }),
    ...target("gpu_monitor", program("gpu_monitor", "two-nvidia", "nvidia-smi")),
    ...target("smart_monitor", { ...disks, exclude_devices: ["/dev/sdz"] }),
    ...target("systemd_monitor", program("systemd_monitor", "other-forms", "systemctl")),
    ...target("ping_monitor", { hosts: ["127.0.0.1"] }),
  };
};

/** Starts something to collect from for each plugin that there is something for, all at the same time. */
export async function startMonitored(parts: AsyncDisposableStack, folder: TemporaryFolder): Promise<Targets> {
  const starters = [...DATABASES, ...WEB, ...NETWORK, host];
  // All are waited for, so that what has been started is known and can be ended when one fails.
  const started = await Promise.allSettled(starters.map((start) => start(parts, folder)));
  return Object.assign(
    {},
    ...started.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    }),
  );
}
