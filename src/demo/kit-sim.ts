import { type KitStats, serveConnection } from "./connection.ts";
import { type Fault, type FaultText, parseFault } from "./faults.ts";
import { gzipBomb } from "./hostile.ts";
import { changeFault, createKit, type Kit, type Row, type Surroundings } from "./kit.ts";
import { openPort, type Port } from "./kit-server.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { Answer } from "./wire.ts";
import { kitProfile } from "./world.ts";

/** What to simulate. Only `count` is needed. */
export interface KitSimOptions {
  readonly count: number;
  /** 127.0.0.1 when absent. */
  readonly host?: string;
  /** Port of the first kit, the others follow; any free ports when 0 or absent. */
  readonly basePort?: number;
  /** The same seed gives the same world; 1 when absent. */
  readonly seed?: number;
  /** Around each kit: 6 drones, 3 aircraft and 4 signals when absent. */
  readonly drones?: number;
  readonly aircraft?: number;
  readonly signals?: number;
  /** Every track is there all the time and every poll brings a new observation of it. */
  readonly fresh?: boolean;
  /** Answers are built once in this time: 1000 ms, or 100 ms when fresh. */
  readonly tick?: number;
  /** Every observation stands at least so long (ms), so that a collector that was away for less has missed none. */
  readonly lasting?: number;
  /** Real kits answer 100 requests a minute to each client; true when absent. */
  readonly rateLimit?: boolean;
  /** Fault by kit id: `{ "kit-003": "slow:500" }`. The others are healthy. */
  readonly faults?: Readonly<Record<string, FaultText>>;
  /** File to which a JSON line is appended for every row that was completely sent. */
  readonly ledger?: string;
  /** Flushes of the ledger reach the disk. */
  readonly fsync?: boolean;
  /** Epoch milliseconds; Date.now when absent. */
  readonly clock?: () => number;
}

/** A kit as its collector knows it. */
export interface SimulatedKit {
  readonly id: string;
  readonly uid: string;
  readonly url: string;
  readonly name: string;
  readonly location: string;
}

/** What happened so far. */
export interface SimStats extends KitStats {
  /** Connections to the place where the `redirect` fault points. */
  readonly redirected: number;
  readonly kits: Readonly<Record<string, Readonly<KitStats> & { readonly fault: string }>>;
}

export interface KitSim {
  readonly kits: readonly SimulatedKit[];
  readonly ledgerPath: string | undefined;
  /**
   * Changes a kit's behaviour for the requests that follow; the kit is its index in `kits` or its id.
   * Rejects with a RangeError for an unknown kit or fault, and with the system's error when a port that was closed
   * cannot be opened again.
   */
  setFault(kit: number | string, fault: FaultText | Fault): Promise<void>;
  stats(): SimStats;
  /** Resolves when the ledger file holds every row offered so far. */
  flush(): Promise<void>;
  /** Cuts every connection, closes every port, and completes the ledger. */
  close(): Promise<void>;
}

/** A kit and its port. */
interface Running {
  readonly kit: Kit;
  readonly port: Port;
  readonly stats: KitStats;
}

/** Starts simulated kits, each a DragonSync HTTP server with a port of its own. Rejects when a port is taken. */
export async function startKits(options: KitSimOptions): Promise<KitSim> {
  const { host = "127.0.0.1", clock = Date.now } = options;
  const faults = Object.entries(options.faults ?? {}).map(([id, text]) => [id, parseFault(text)] as const);
  const ledger = options.ledger ? await openLedger(options.ledger, { fsync: options.fsync ?? false }) : undefined;
  const canary = await openCanary(host);
  const starting = startAll(options, { host, clock, ledger, elsewhere: canary.port.port });
  const started = await Promise.allSettled(starting);
  const running = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));

  const close = async () => {
    await Promise.all([canary.port, ...running.map(({ port }) => port)].map((port) => port.close()));
    await ledger?.close();
  };
  const setFault: KitSim["setFault"] = async (which, fault) => {
    const one = running.find(({ kit }) => kit.profile.id === which || kit.profile.index === which);
    if (!one) throw new RangeError(`unknown kit ${which}; there are ${running.length}, from kit-001 on`);
    changeFault(one.kit, typeof fault === "string" ? parseFault(fault) : fault, clock());
    await (one.kit.fault.mode === "refused" ? one.port.shut() : one.port.open());
  };
  try {
    await Promise.all(starting);
    for (const [id, fault] of faults) await setFault(id, fault);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    kits: running.map(({ kit }) => describeKit(kit, host)),
    ledgerPath: options.ledger,
    setFault,
    stats: () => sumStats(running, canary.connections()),
    flush: async () => ledger?.flush(),
    close,
  };
}

/** What one simulator's kits are started with. */
interface Place {
  readonly host: string;
  readonly clock: () => number;
  readonly ledger: Ledger | undefined;
  readonly elsewhere: number;
}

function startAll(options: KitSimOptions, place: Place): Promise<Running>[] {
  const { basePort = 0, seed = 1, rateLimit = true } = options;
  const surroundings = surroundingsOf(options, place.elsewhere);
  return Array.from({ length: options.count }, (_, index) => {
    const kit = createKit(kitProfile(seed, index), surroundings);
    return startKit(kit, place, { port: basePort && basePort + index, rateLimit });
  });
}

function surroundingsOf(options: KitSimOptions, elsewhere: number): Surroundings {
  const { drones = 6, aircraft = 3, signals = 4, fresh = false } = options;
  let bomb: Answer | undefined;
  return {
    population: { drones, aircraft, signals },
    pace: { fresh, tick: options.tick ?? (fresh ? 100 : 1_000), lasting: options.lasting ?? 0 },
    // Half a second of work, so only for those who ask.
    gzipBomb: () => {
      bomb ??= gzipBomb();
      return bomb;
    },
    elsewhere,
  };
}

async function startKit(kit: Kit, place: Place, own: { port: number; rateLimit: boolean }): Promise<Running> {
  const { clock, ledger } = place;
  const stats: KitStats = { requests: 0, completed: 0, aborted: 0, rows: 0 };
  const allowed = createRateLimit();
  const context = {
    ...{ kit, stats, now: clock },
    allows: (client: string) => !own.rateLimit || allowed(client, clock()),
    offered: (row: Row) => ledger?.append({ kit: kit.profile.id, seq: stats.rows, ...row.key }),
  };
  const port = await openPort(place.host, own.port, (socket) => serveConnection(socket, context));
  kit.port = port.port;
  return { kit, port, stats };
}

/** A port where nobody has any business: who follows a kit's redirect is counted here. */
async function openCanary(host: string) {
  let connections = 0;
  const port = await openPort(host, 0, (socket) => {
    connections++;
    socket.on("error", () => undefined);
    socket.end('HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"drones": []}');
  });
  return { port, connections: () => connections };
}

function describeKit(kit: Kit, host: string): SimulatedKit {
  const { id, uid, name, location } = kit.profile;
  return { id, uid, url: `http://${host}:${kit.port}`, name, location };
}

function sumStats(running: readonly Running[], redirected: number): SimStats {
  const total = { requests: 0, completed: 0, aborted: 0, rows: 0 };
  for (const { stats } of running)
    for (const name of Object.keys(total) as (keyof KitStats)[]) total[name] += stats[name];
  const kits = running.map(({ kit, stats }) => [kit.profile.id, { ...stats, fault: kit.fault.mode }] as const);
  return { ...total, redirected, kits: Object.fromEntries(kits) };
}
