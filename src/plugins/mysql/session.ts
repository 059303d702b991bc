import { createConnection } from "node:net";
import type { Connection, RowDataPacket } from "mysql2";
import { CollectError, type ErrorKind } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { addressOf, connectionError } from "../client/errors.ts";
import { type PasswordConfig, readPassword, type TlsConfig, tlsOptions } from "../client/secrets.ts";

/** Which server, and as whom. */
export interface Login extends PasswordConfig, TlsConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** A row by its column names. */
export type Row = Readonly<Record<string, unknown>>;

/** An open session. */
export interface Session {
  /** As the server tells it: `8.4.3`, `10.11.19-MariaDB-0+deb12u1`. */
  readonly version: string;
  query(sql: string): Promise<readonly Row[]>;
}

/** Longest that one statement may run on the server: a run that is given up cannot tell it. */
const LIMIT = {
  mariadb: "set session max_statement_time = 10",
  mysql: "set session max_execution_time = 10000",
};

export const isMariaDB = (version: string): boolean => /mariadb/i.test(version);

/**
 * Opens a connection, hands a session to `work`, and closes it again, whatever happens.
 * @throws {CollectError} that says what to do about a server that refuses
 */
export async function withSession<T>(
  login: Login,
  signal: AbortSignal,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { host, port, user } = login;
  signal.throwIfAborted();
  const [password, ssl] = await Promise.all([readPassword(login), tlsOptions(login, host)]);
  // Loaded when it is needed: a host without MySQL does not pay for it.
  const { default: mysql } = await import("mysql2");
  signal.throwIfAborted();
  // Our own socket, because the library only ever ends its politely.
  const socket = createConnection(host.startsWith("/") ? { path: host } : { host, port });
  const connection = mysql.createConnection({
    ...{ host, user, stream: socket, supportBigNumbers: true },
    ...(password === undefined ? {} : { password }),
    // The library takes the server's name for the name to verify only when it is told to.
    ...(ssl === undefined ? {} : { ssl: { ...ssl, verifyIdentity: ssl.rejectUnauthorized === true } as object }),
  });
  // Those of a connection that breaks between two queries; the next query fails anyway.
  connection.on("error", () => undefined);
  try {
    return await untilAborted(
      signal,
      () => socket.destroy(),
      async () => {
        const result = await work(await openSession(connection));
        // Said goodbye to, the server does not count an aborted client.
        await new Promise<void>((resolve) => connection.end(() => resolve()));
        return result;
      },
    );
  } catch (error) {
    throw explained(error, `MySQL at ${addressOf(host, port)}`);
  } finally {
    socket.destroy();
  }
}

async function openSession(connection: Connection): Promise<Session> {
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
  const query = (sql: string) =>
    new Promise<readonly Row[]>((resolve, reject) => {
      connection.query<RowDataPacket[]>(sql, (error, rows) => (error ? reject(error) : resolve(rows)));
    });
  const [row] = await query("select version() as version");
  const version = String(row?.["version"]);
  await query(isMariaDB(version) ? LIMIT.mariadb : LIMIT.mysql);
  return { version, query };
}

/** What the server's and the library's own codes ask for, where it is plain. */
const BY_CODE: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  ER_ACCESS_DENIED_ERROR: ["bad_data", "check user and password, and from which host the user may come"],
  ER_HOST_NOT_PRIVILEGED: ["bad_data", "the server takes no connections from this host"],
  ER_HOST_IS_BLOCKED: ["bad_data", "run `flush hosts` there"],
  ER_CON_COUNT_ERROR: ["unreachable", "the server has no connection left"],
  ER_SERVER_SHUTDOWN: ["unreachable", "the server is stopping"],
  ER_SECURE_TRANSPORT_REQUIRED: ["bad_data", "set tls"],
  HANDSHAKE_NO_SSL_SUPPORT: ["unreachable", "set tls to off, or give the server a certificate"],
  HANDSHAKE_SSL_ERROR: ["unreachable", "its certificate is not trusted, or not for this host; see tls_ca_file"],
  PROTOCOL_CONNECTION_LOST: ["unreachable", "the server closed the connection"],
};

function explained(error: unknown, where: string): unknown {
  if (error instanceof CollectError || !(error instanceof Error)) return error;
  const { message } = error;
  const refused = (kind: ErrorKind, text: string) => new CollectError(kind, text, { cause: error });
  const code = "code" in error ? String(error.code) : "";
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  if (known) return refused(known[0], `${where}: ${message}; ${known[1]}`);
  if (isServerError(error)) return refused("bad_data", `${where}: ${message}`);
  const plain = connectionError(error, where);
  // What is left of the library's own errors: bytes that are no MySQL.
  const isForeign = plain === error && "fatal" in error;
  return isForeign ? refused("bad_data", `what answers at ${where} does not speak MySQL: ${message}`) : plain;
}

/** What the server said about one query, by its shape: the class comes with the library, which is loaded later. */
export const isServerError = (error: unknown): error is Error =>
  error instanceof Error && "sqlState" in error && "code" in error && String(error.code).startsWith("ER_");
