import { CollectError } from "../../model/run.ts";

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (ECONNREFUSED): is the server running, and are host and port right?",
  ENOTFOUND: "there is no host of that name (ENOTFOUND)",
  EAI_AGAIN: "the host's name cannot be looked up now (EAI_AGAIN)",
  ENOENT: "there is no such socket (ENOENT): is the server running?",
  EACCES: "gleaner may not use that socket (EACCES)",
  ECONNRESET: "the server closed the connection (ECONNRESET)",
  EPIPE: "the server closed the connection (EPIPE)",
  EHOSTUNREACH: "there is no route to the host (EHOSTUNREACH)",
  ENETUNREACH: "there is no route to the host's network (ENETUNREACH)",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name; `host` must be the name in the certificate",
  CERT_HAS_EXPIRED: "its certificate has expired",
};
/** Codes of Node's sockets. */
const SYSTEM = /^E[A-Z]{2,20}$|^EAI_AGAIN$/;
/** Codes of OpenSSL's verification, which name what is wrong with a certificate. */
const CERTIFICATE = /^(CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)_/;
const TLS = /^ERR_(SSL|TLS)_/;

function reasonOf(code: string): string | undefined {
  const known = Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (known !== undefined) return known;
  if (CERTIFICATE.test(code))
    return `its certificate is not trusted (${code}); tls_ca_file can name the one that signed it`;
  if (TLS.test(code)) return `it does not speak TLS as expected (${code})`;
  return SYSTEM.test(code) ? code : undefined;
}

/**
 * An error of a connection as one that says where it was to and what to look at. Any other error comes back as it is.
 * @param where address for people: `PostgreSQL at db:5432`
 */
export function connectionError(error: unknown, where: string): unknown {
  if (error instanceof CollectError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const reason = typeof code === "string" ? reasonOf(code) : undefined;
  if (reason === undefined) return error;
  return new CollectError(code === "ETIMEDOUT" ? "timeout" : "unreachable", `${where}: ${reason}`, { cause: error });
}

/** `db:5432`, `[::1]:5432`; of a path just that. */
export const addressOf = (host: string, port: number): string =>
  host.startsWith("/") ? host : host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
