import { type CacheClient, type CacheClientOptions, connectCache } from "./client.ts";

/** How long values are good for (ms). */
export interface CacheTtl {
  readonly latest: number;
  readonly status: number;
  readonly dashboard: number;
  readonly query: number;
}

export interface CacheOptions extends CacheClientOptions {
  /** What every key begins with: collectors that share a database share it, others on the same server have another one. */
  readonly prefix: string;
  readonly ttl: CacheTtl;
}

/** What was asked for in the cache: found, not there, or nobody could say. */
export type Lookup = "hit" | "miss" | "unavailable";

/** What is kept of one target; without `latest` where nothing of it is known yet. */
export interface CachedTarget {
  readonly id: string;
  readonly latest: object | undefined;
  readonly status: object;
}

/**
 * Values that are quick to have again, in Redis or Valkey. Everything in it is somewhere else too: what is missing, or
 * cannot be reached, is undefined, and no call takes longer than the limit.
 */
export interface Cache {
  latestMetrics(target: string): Promise<unknown>;
  pluginStatus(target: string): Promise<unknown>;
  dashboardData(): Promise<unknown>;
  setDashboardData(data: object): Promise<void>;
  query(target: string, metric: string, at: Date): Promise<unknown>;
  setQuery(target: string, metric: string, at: Date, result: object): Promise<void>;
  /** Writes latest metrics and states. @returns whether it did */
  setTargets(targets: readonly CachedTarget[]): Promise<boolean>;
  /** Forgets a target. */
  delete(target: string): Promise<void>;
  isUp(): boolean;
  disconnect(): void;
}

/** A value that is larger is not kept (characters of JSON). */
const MAX_VALUE = 512 * 1_024;

export async function openCache(
  options: CacheOptions & { readonly onLookup: (result: Lookup) => void },
): Promise<Cache> {
  return cacheOn(await connectCache(options), options);
}

type Settings = Pick<CacheOptions, "prefix" | "ttl"> & { readonly onLookup: (result: Lookup) => void };

function cacheOn(client: CacheClient, { prefix, ttl, onLookup }: Settings): Cache {
  const keys = {
    latest: (target: string) => `${prefix}plugin:${target}:latest`,
    status: (target: string) => `${prefix}plugin:${target}:status`,
    dashboard: `${prefix}dashboard:summary`,
    query: (target: string, metric: string, at: Date) => `${prefix}metrics:${target}:${metric}:${at.getTime()}`,
  };

  async function get(key: string): Promise<unknown> {
    const text = await client.read((redis) => redis.get(key));
    const value = text === undefined || text === null ? undefined : parsed(text);
    onLookup(text === undefined ? "unavailable" : value === undefined ? "miss" : "hit");
    return value;
  }

  /** Nothing is made for a server that is gone: only what is sent becomes text. */
  const set = (entries: () => readonly (readonly [key: string, value: object, ttl: number])[]): Promise<boolean> =>
    client.write((pipeline) => {
      for (const [key, value, ms] of entries()) {
        const text = JSON.stringify(value);
        if (text.length <= MAX_VALUE) pipeline.set(key, text, "PX", ms);
      }
    });

  return {
    latestMetrics: (target) => get(keys.latest(target)),
    pluginStatus: (target) => get(keys.status(target)),
    dashboardData: () => get(keys.dashboard),
    setDashboardData: async (data) => void (await set(() => [[keys.dashboard, data, ttl.dashboard]])),
    query: (target, metric, at) => get(keys.query(target, metric, at)),
    setQuery: async (target, metric, at, result) =>
      void (await set(() => [[keys.query(target, metric, at), result, ttl.query]])),
    setTargets: (targets) =>
      set(() =>
        targets.flatMap(({ id, latest, status }) => [
          ...(latest ? [[keys.latest(id), latest, ttl.latest] as const] : []),
          [keys.status(id), status, ttl.status] as const,
        ]),
      ),
    delete: async (target) =>
      void (await client.write((pipeline) => pipeline.del(keys.latest(target), keys.status(target)))),
    isUp: client.isUp,
    disconnect: client.close,
  };
}

/** Anybody may write to the server: what is no JSON is not there. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
