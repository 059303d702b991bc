import { Socket } from "node:net";
import type { DatabaseError } from "pg";
import { CollectError, type ErrorKind } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { addressOf, connectionError } from "../client/errors.ts";
import { type PasswordConfig, readPassword, type TlsConfig, tlsOptions } from "../client/secrets.ts";

/** Which server, and as whom. */
export interface Login extends PasswordConfig, TlsConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** Runs a query whose one row has one column, `data`, of type jsonb; null when there is no row. */
export type Ask = (sql: string) => Promise<unknown>;

/**
 * Longest that one statement may run on the server (ms): a run that is given up cannot tell the server, which would
 * otherwise go on. Waiting for a lock is not worth it: the next collection comes.
 */
const LIMITS = "set local statement_timeout = 10000; set local lock_timeout = 1000";

/**
 * Opens a connection, hands a way to ask to `work`, and closes it again, whatever happens.
 * @throws {CollectError} that says what to do about a server that refuses
 */
export async function withSession<T>(login: Login, signal: AbortSignal, work: (ask: Ask) => Promise<T>): Promise<T> {
  const { host, port, user, database } = login;
  const [password, ssl] = await Promise.all([readPassword(login), tlsOptions(login, host)]);
  // Loaded when it is needed: a host without PostgreSQL does not pay for it.
  const { Client } = await import("pg");
  const socket = new Socket();
  const client = new Client({
    ...{ host, port, user, database, ssl: ssl ?? false, stream: () => socket, application_name: "gleaner" },
    // As a function: an absent password must not be looked for in the environment or in ~/.pgpass.
    password: () => password ?? "",
  });
  // Those of a connection that breaks between two queries; the next query fails anyway.
  client.on("error", () => undefined);
  const cut = () => socket.destroy();
  try {
    return await untilAborted(signal, cut, async () => {
      await client.connect();
      const result = await work((sql) => ask(client, sql));
      await client.end();
      return result;
    });
  } catch (error) {
    throw explained(error, `PostgreSQL at ${addressOf(host, port)}`);
  } finally {
    cut();
  }
}

/** In a transaction of its own, so that the limits are gone with it also behind a pooler that shares connections. */
async function ask(client: InstanceType<typeof import("pg").Client>, sql: string): Promise<unknown> {
  try {
    await client.query(`begin read only; ${LIMITS}`);
    const { rows } = await client.query<{ data: unknown }>(sql);
    await client.query("commit");
    return rows[0]?.data ?? null;
  } catch (error) {
    if (isDatabaseError(error)) await client.query("rollback");
    throw error;
  }
}

/** What SQLSTATE classes ask for (https://www.postgresql.org/docs/current/errcodes-appendix.html), where it is plain. */
const BY_CLASS: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  "28": ["bad_data", "check user, password and pg_hba.conf"],
  "3D": ["bad_data", "check the setting database"],
  "42": ["bad_data", "grant pg_monitor to the user"],
  "53": ["unreachable", "the server is out of connections, memory or disk"],
  "57": ["unreachable", "the server is starting, stopping, or ended the query"],
};

function explained(error: unknown, where: string): unknown {
  if (isDatabaseError(error)) {
    const [kind, advice] = BY_CLASS[error.code?.slice(0, 2) ?? ""] ?? (["bad_data", ""] as const);
    const text = `${where}: ${error.message} (${error.code})`;
    return new CollectError(kind, advice === "" ? text : `${text}; ${advice}`, { cause: error });
  }
  if (error instanceof Error && error.message.startsWith("SASL:"))
    return new CollectError("bad_data", `${where}: the server wants a password, or another one`, { cause: error });
  // pg's own errors have no code: the server ended the connection, or does not do TLS.
  if (error instanceof Error && error.constructor === Error && !("code" in error))
    return new CollectError("unreachable", `${where}: ${error.message}`, { cause: error });
  return connectionError(error, where);
}

/** By its shape, for the class comes with the library, which is loaded later. */
const isDatabaseError = (error: unknown): error is DatabaseError =>
  error instanceof Error && "severity" in error && "code" in error;
