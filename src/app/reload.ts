import { type Stats, unwatchFile, watchFile } from "node:fs";
import type { Self } from "../expose/self.ts";
import type { Logger } from "../model/plugin.ts";

/** How often the configuration files are looked at (ms): an edit of kits.yaml shows within half a minute. */
const LOOK_EVERY_MS = 30_000;

export interface ReloadDeps {
  /** The files whose change asks for a reload; they need not exist. */
  readonly files: readonly string[];
  /** Loads and applies the configuration; throws, having changed nothing, when it is not usable. */
  readonly apply: () => Promise<{ added: number; removed: number }>;
  readonly self: Pick<Self, "configReloaded">;
  readonly log: Logger;
  readonly now: () => Date;
  /** How often the files are looked at (ms). */
  readonly every?: number;
}

/** Reloads on SIGHUP, when a file changes, and when it is told to. A configuration that is not usable leaves everything as it was. */
export function watchConfig({ files, apply, self, log, now, every = LOOK_EVERY_MS }: ReloadDeps): {
  reload(): void;
  stop(): void;
} {
  let busy = Promise.resolve();
  const reload = () => {
    busy = busy.then(async () => {
      try {
        const changed = await apply();
        self.configReloaded(true, now());
        log.info(changed, "configuration reloaded");
      } catch (error) {
        self.configReloaded(false, now());
        log.error({ err: error }, "the changed configuration is not usable; the old one stays in force");
      }
    });
  };
  // A file that does not exist is reported once as if it had changed.
  const onStat = (now: Stats, before: Stats) => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) reload();
  };
  for (const file of files) watchFile(file, { interval: every, persistent: false }, onStat);
  process.on("SIGHUP", reload);
  return {
    reload,
    stop() {
      process.off("SIGHUP", reload);
      for (const file of files) unwatchFile(file, onStat);
    },
  };
}
