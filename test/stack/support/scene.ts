import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import type { FaultText } from "../../../src/demo/faults.ts";
import { plugins } from "../../../src/plugins/registry.gen.ts";
import { ROOT } from "../../packaging/files.ts";
import { startCluster } from "../../store/postgres.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/folder.ts";
import { type Gleaner, startGleaner } from "../../support/process.ts";
import { runProgram } from "../../support/program.ts";
import { type Sim, startSim } from "../../support/sim.ts";
import { startMonitored } from "./monitored/index.ts";
import type { Targets } from "./monitored/target.ts";
import { type Server, startAlertmanager, startPrometheus } from "./servers.ts";

/** Everything that docker-compose.yml starts but Grafana, on free ports and unix sockets, with simulated kits. */
export interface Stack extends AsyncDisposable {
  readonly gleaner: Gleaner;
  readonly sim: Sim;
  readonly prometheus: Server;
  readonly alertmanager: Server;
  /** As the role that Grafana reads with. */
  readonly reader: pg.Client;
  /** SQL as the administrator. */
  admin(sql: string): Promise<Record<string, unknown>[]>;
  /** The plugins that collect here. */
  readonly running: ReadonlySet<string>;
  /** When gleaner had started (epoch ms). */
  readonly since: number;
}

/** Kits that have some trouble from the start to the end: every state is there, and alerts that stay. */
export const TROUBLED = {
  "kit-006": "nan",
  "kit-007": "slow:300",
  "kit-008": "refused",
  "kit-009": "http_500",
  "kit-010": "frozen_status",
} as const satisfies Record<string, FaultText>;
const KITS = 10;
/** The kit that dashboards about one kit are looked at with: it has no trouble at all. */
export const WELL_KIT = "kit-005";

/** Polls each second. A kit's status stands for 30 s, so that it can only be called stale after more than that. */
export const STALE_MS = 36_000;
const HASTE = {
  POLL_INTERVAL: "1s",
  STATUS_POLL_INTERVAL: "2s",
  REQUEST_TIMEOUT: "900ms",
  MAX_RETRIES: "0",
  INITIAL_BACKOFF: "300ms",
  MAX_BACKOFF: "2s",
  STALE_THRESHOLD: `${STALE_MS / 1_000}s`,
};

/** Why nothing is collected with a plugin here, where that is not for want of somebody to add it. */
export const WHY_IDLE: Readonly<Record<string, string>> = {
  rabbitmq_monitor: "its server takes many seconds to start; the plugin's own test has one",
};

/** Starts the stack. */
export async function startStack(): Promise<Stack> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(temporaryFolder());
  const database = await startDatabase(parts);
  const sim = parts.use(await startSim(folder, { kits: KITS, faults: TROUBLED }));
  const token = randomBytes(32).toString("hex");
  const monitored = await startMonitored(parts, folder);
  const gleaner = parts.use(
    await startGleaner(placeOf(folder, { sim, token, url: database.url("gleaner"), monitored })),
  );
  const since = Date.now();
  const alertmanager = parts.use(await startAlertmanager(folder, { gleaner: gleaner.url, token }));
  const hosts = { gleaner: new URL(gleaner.url).host, alertmanager: new URL(alertmanager.url).host };
  const prometheus = parts.use(await startPrometheus(folder, hosts));
  const connect = async (role: string) => {
    const client = new pg.Client({ connectionString: database.url(role) });
    await client.connect();
    parts.defer(() => client.end());
    return client;
  };
  const [reader, administrator] = [await connect("grafana_reader"), await connect("postgres")];
  const admin = async (sql: string) => (await administrator.query(sql)).rows as Record<string, unknown>[];
  const moved = parts.move();
  return {
    running: runningOf(monitored),
    ...{ gleaner, sim, prometheus, alertmanager, reader, admin, since },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

const runningOf = (monitored: Targets): ReadonlySet<string> =>
  new Set([
    ...plugins.filter(({ enabledByDefault }) => enabledByDefault).map(({ id }) => id),
    ...["dragonsync", "postgres_monitor"],
    ...Object.values(monitored).map(({ plugin }) => plugin),
  ]);

interface Surroundings {
  readonly sim: Sim;
  readonly token: string;
  readonly url: string;
  readonly monitored: Targets;
}

/** gleaner with its own plugins too: those that need no configuration collect from this machine, the others from what is here. */
function placeOf(folder: TemporaryFolder, { sim, token, url, monitored }: Surroundings) {
  const socket = new URL(url).searchParams.get("host");
  const settings = {
    store: { batch_timeout: "250ms" },
    scheduler: { interval: "1s" },
    targets: {
      // What else is mounted differs from machine to machine, and belongs into no picture.
      disk_monitor: { config: { exclude_mountpoints: ["/.+"] } },
      database: { plugin: "postgres_monitor", config: { host: socket } },
      ...monitored,
    },
  };
  // JSON is YAML.
  folder.write("gleaner.yaml", JSON.stringify(settings));
  const env = { ...HASTE, DATABASE_URL: url, KITS_CONFIG: sim.yaml, GLEANER_WEBHOOK_TOKEN: token };
  return { cwd: folder.path, env };
}

const ROLES = ["role-gleaner.sql", "role-grafana.sql"];

/** A server with the roles that provisioning/postgres makes; on a socket in a folder that only tests reach, which trusts them. */
async function startDatabase(parts: AsyncDisposableStack) {
  const cluster = await startCluster();
  parts.defer(() => cluster.stop());
  const administrator = await cluster.createDatabase();
  const password = randomBytes(16).toString("hex");
  const env = { PATH: process.env["PATH"] ?? "", GLEANER_DB_PASSWORD: password, GRAFANA_DB_PASSWORD: password };
  for (const role of ROLES) {
    const file = `--file=${join(ROOT, "provisioning/postgres", role)}`;
    const { code, output } = await runProgram("psql", [administrator, "--no-psqlrc", file], { cwd: ROOT, env });
    if (code !== 0) throw new Error(`${role}: ${output}`);
  }
  return { url: (role: string) => administrator.replace("postgres@", `${role}@`) };
}
