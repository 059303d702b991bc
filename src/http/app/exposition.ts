/** A body in an exposition format. `contentType` is sent as it is, `status` is 200 when absent. */
export interface Exposition {
  readonly status?: number;
  readonly contentType: string;
  readonly body: Buffer;
  /** How `body` is compressed already; absent when it is not. */
  readonly encoding?: "gzip";
}

/** One group of the http_sd format: `targets` are host:port. */
export interface DiscoveryGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}
