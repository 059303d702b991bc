/** Tables a kit's rows end up in. */
type Table = "drones" | "signals" | "system_health";

/** What makes a row one row: the ledger and the stored rows are compared by it. */
export interface RowKey {
  readonly table: Table;
  /** Epoch seconds as served: `last_update_time` of tracks and status, `observed_at` of signals. */
  readonly time: number;
  readonly drone_id?: string;
  readonly freq_mhz?: number;
  readonly uid?: string;
}

/** One thing a kit lists: its key, and its JSON when asked. Equal keys of one kit have equal JSON. */
export interface Observation {
  readonly key: RowKey;
  /** Identifies the track or signal within its list, over all its observations. */
  readonly id: string;
  readonly encode: () => string;
}
