import type { MongoClient, MongoClientOptions } from "mongodb";
import { CollectError, type ErrorKind } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { addressOf, connectionError } from "../client/errors.ts";
import { type PasswordConfig, readPassword, type TlsConfig, tlsOptions } from "../client/secrets.ts";
import { watchSockets } from "./sockets.ts";

/** Which server, and as whom. */
export interface Login extends PasswordConfig, TlsConfig {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly auth_database: string;
}

/** Runs a command in a database and returns the answer. @throws {CollectError} bad_data where the server refuses it */
export type Command = (database: string, command: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Longer than any deadline: it is the run's that counts. */
const NEVER_MS = 2 ** 30;

/**
 * Connects to just this server, hands a way to ask to `work`, and closes the connections, whatever happens.
 * @throws {CollectError} that says what to do about a server that refuses
 */
export async function withSession<T>(
  login: Login,
  signal: AbortSignal,
  work: (command: Command) => Promise<T>,
): Promise<T> {
  const { host, port } = login;
  signal.throwIfAborted();
  const where = `MongoDB at ${addressOf(host, port)}`;
  const options = await optionsOf(login);
  // Loaded when it is needed: a host without MongoDB does not pay for it.
  const { MongoClient } = await import("mongodb");
  const address = host.startsWith("/") ? encodeURIComponent(host) : addressOf(host, port);
  const client = new MongoClient(`mongodb://${address}/`, options);
  const explain = (error: unknown): never => {
    throw explained(error, where);
  };
  signal.throwIfAborted();
  const sockets = watchSockets();
  const cut = () => {
    sockets.end();
    // A command that waits for a server to be found waits on; it is told off.
    void client.close(true).catch(() => undefined);
  };
  return untilAborted(signal, cut, () =>
    sockets.run(async () => {
      try {
        await Promise.race([client.connect(), unreachable(client)]).catch(explain);
        return await work((database, command) => client.db(database).command(command).catch(explain));
      } finally {
        await client.close(true).catch(() => undefined);
        sockets.forget();
      }
    }),
  );
}

async function optionsOf(login: Login): Promise<MongoClientOptions> {
  const { host, user, auth_database } = login;
  const [password, tls] = await Promise.all([readPassword(login), tlsOptions(login, host)]);
  return {
    ...{ directConnection: true, maxPoolSize: 1, appName: "gleaner", retryReads: false, monitorCommands: false },
    ...{ serverSelectionTimeoutMS: NEVER_MS, connectTimeoutMS: NEVER_MS, heartbeatFrequencyMS: NEVER_MS },
    // Its other way of watching the server needs a connection more.
    serverMonitoringMode: "poll",
    ...(user === undefined ? {} : { auth: { username: user, password: password ?? "" }, authSource: auth_database }),
    ...(tls === undefined ? {} : { tls: true, ...tls }),
  };
}

/** The driver goes on trying until its own time is over; one failure is enough for this run. */
function unreachable(client: MongoClient): Promise<never> {
  return new Promise((_, reject) => {
    client.once("serverHeartbeatFailed", ({ failure }) => reject(failure));
  });
}

/** What the server's error codes ask for, where it is plain. */
const BY_CODE: Readonly<Record<number, readonly [ErrorKind, string]>> = {
  11: ["bad_data", "check user and password"],
  13: ["bad_data", "log in as a user with the role clusterMonitor"],
  18: ["bad_data", "check user, password and auth_database"],
  91: ["unreachable", "the server is stopping"],
  11600: ["unreachable", "the server is stopping"],
};

/** What the driver threw, as a CollectError. */
function explained(error: unknown, where: string): CollectError {
  if (error instanceof CollectError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && "code" in error ? Number(error.code) : Number.NaN;
  const [kind, advice] = BY_CODE[code] ?? [];
  if (kind) return new CollectError(kind, `${where}: ${message}; ${advice}`, { cause: error });
  // Under the driver's own network errors lies that of the socket.
  const plain = connectionError(rootOf(error), where);
  if (plain instanceof CollectError) return plain;
  if (name === "MongoServerError") return new CollectError("bad_data", `${where}: ${message}`, { cause: error });
  if (/^Mongo\w*(Network|Selection)/.test(name))
    return new CollectError("unreachable", `${where}: ${message}`, { cause: error });
  // It trips over bytes that are no answer in errors of any name.
  return new CollectError("bad_data", `what answers there does not speak as MongoDB does: ${where}: ${message}`, {
    cause: error,
  });
}

function rootOf(error: unknown): unknown {
  let root: unknown = error;
  for (let depth = 0; depth < 5 && root instanceof Error && root.cause !== undefined; depth++) root = root.cause;
  return root;
}
