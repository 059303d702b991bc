import { join } from "node:path";
import type { LoadedConfig } from "./loaded.ts";

/** What opening the store needs of the configuration, in the words of the store. Times in milliseconds. */
export function storeOptions({ store }: LoadedConfig) {
  const { raw, hourly, daily, system_health, alert_history, compress_after } = store.retention;
  return {
    url: store.url,
    poolSize: store.pool_size,
    statementTimeout: store.statement_timeout,
    retention: {
      ...{ raw, hourly, daily },
      systemHealth: system_health,
      alertHistory: alert_history,
      compressAfter: compress_after,
    },
  };
}

/** What opening the spool needs. */
export function spoolOptions({ data_dir, store }: LoadedConfig) {
  const { max_bytes, min_free_bytes, when_full } = store.spool;
  return {
    path: join(data_dir, "spool.db"),
    ...{ maxBytes: max_bytes, minFreeBytes: min_free_bytes, whenFull: when_full, keepFor: store.keep_committed },
  };
}
