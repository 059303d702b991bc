import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

/** Ways to reach another process by its id, which Node's permission model leaves open. */
const SIGNALS = ["kill", "_kill", "_debugProcess", "_debugEnd", "_startProfilerIdleNotifier"];

/**
 * Takes away what could hurt another process of the same user: signals, and priorities. It is done before anything of the plugin is
 * loaded; Node's permission model keeps it from getting them back by addons, the inspector or internal bindings.
 */
export function lockDown(): void {
  const denied = (name: string) => () => {
    throw Object.assign(new Error(`${name} is not for plugins`), { code: "ERR_ACCESS_DENIED" });
  };
  for (const name of SIGNALS) Object.defineProperty(process, name, { value: denied(`process.${name}`) });
  Object.defineProperty(os, "setPriority", { value: denied("os.setPriority") });
  syncBuiltinESMExports();
}
