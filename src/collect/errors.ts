import { redactSecrets } from "../model/redact.ts";
import { CollectError, type ErrorKind } from "../model/run.ts";

/** Error codes of Node, undici and TLS, by what they mean for a collection. What is not listed is a bug until shown otherwise. */
const KIND_BY_CODE: ReadonlyMap<string, ErrorKind> = new Map(
  Object.entries({
    ECONNREFUSED: "unreachable",
    ECONNRESET: "unreachable",
    ECONNABORTED: "unreachable",
    EPIPE: "unreachable",
    ENOTFOUND: "unreachable",
    EAI_AGAIN: "unreachable",
    EHOSTUNREACH: "unreachable",
    EHOSTDOWN: "unreachable",
    ENETUNREACH: "unreachable",
    ENETDOWN: "unreachable",
    EADDRNOTAVAIL: "unreachable",
    EMFILE: "unreachable",
    ENOENT: "unreachable",
    EACCES: "unreachable",
    UND_ERR_SOCKET: "unreachable",
    UND_ERR_CLOSED: "unreachable",
    DEPTH_ZERO_SELF_SIGNED_CERT: "unreachable",
    SELF_SIGNED_CERT_IN_CHAIN: "unreachable",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unreachable",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unreachable",
    EPROTO: "unreachable",
    ETIMEDOUT: "timeout",
    ESOCKETTIMEDOUT: "timeout",
    UND_ERR_CONNECT_TIMEOUT: "timeout",
    UND_ERR_HEADERS_TIMEOUT: "timeout",
    UND_ERR_BODY_TIMEOUT: "timeout",
    UND_ERR_ABORTED: "timeout",
    ABORT_ERR: "timeout",
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "bad_data",
    UND_ERR_HEADERS_OVERFLOW: "bad_data",
    Z_DATA_ERROR: "bad_data",
    Z_BUF_ERROR: "bad_data",
  } satisfies Record<string, ErrorKind>),
);
/** A server that is not who it should be, or speaks no TLS that we do: nobody we know was reached. */
const TLS_CODE = /^(CERT|ERR_SSL|ERR_TLS)_/;

/** Longest message kept: a source must not be able to fill the log or the database with its error text. */
const MAX_MESSAGE = 500;

/** Reads a property of anything a plugin may throw, including a Proxy or a getter that throws itself. */
function read(value: unknown, key: "code" | "message" | "name"): string {
  try {
    const found = (value as Record<string, unknown> | null | undefined)?.[key];
    return typeof found === "string" ? found : "";
  } catch {
    return "";
  }
}

function kindOf(code: string, name: string): ErrorKind {
  if (name === "TimeoutError" || name === "AbortError") return "timeout";
  // undici gives its parser errors a name and no code.
  if (code.startsWith("HPE_") || name === "HTTPParserError") return "bad_data";
  return KIND_BY_CODE.get(code) ?? (TLS_CODE.test(code) ? "unreachable" : "bug");
}

/** `instanceof` that survives whatever a plugin may throw: a Proxy may throw when it is asked for its prototype. */
export function isA<T>(type: abstract new (...args: never[]) => T, value: unknown): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/**
 * Whatever was thrown, as a CollectError with a kind. A thrown undefined, string, or hostile object is a bug of the plugin.
 * Credentials in URLs never reach the message.
 */
export function toCollectError(thrown: unknown): CollectError {
  if (isA(CollectError, thrown)) return thrown;
  const code = read(thrown, "code");
  const name = read(thrown, "name");
  const text =
    typeof thrown === "string"
      ? thrown
      : read(thrown, "message") || code || "the plugin threw something that is no error";
  return new CollectError(kindOf(code, name), redactSecrets(text).slice(0, MAX_MESSAGE), { cause: thrown });
}
