import type { IncomingMessage } from "node:http";
import type { Logger } from "../model/plugin.ts";
import { hostName, isLoopback } from "./address.ts";
import type { KeyVerdict } from "./app/agents.ts";
import { createThrottle } from "./throttle.ts";
import { createVerifier, grants, SCOPES, type Scope, type Token } from "./tokens.ts";

/** Who may use a route: anyone, or holders of a scope. Every route declares one; there is no default. */
export type Access = "public" | Scope;
export const ACCESS: readonly Access[] = ["public", ...SCOPES];

/** What a decision rests on, taken from a request. */
export interface Caller {
  /** Address of the other end of the connection. */
  readonly peer: string;
  /** Every Authorization header there was. */
  readonly authorization: readonly string[];
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** Whether a proxy says it relays for someone else: the peer is then not the client. */
  readonly relayed: boolean;
}

export type Decision =
  | { readonly allow: true }
  | {
      readonly allow: false;
      readonly status: 401 | 403 | 429 | 503;
      readonly detail: string;
      readonly headers: Readonly<Record<string, string>>;
    };

export interface GuardOptions {
  readonly tokens: readonly Token[];
  /** Host names, besides those of loopback, under which open reads are answered. */
  readonly allowedHosts: readonly string[];
  /** What a token is worth as the key of an agent. */
  readonly agentKey: (agent: string, presented: string) => KeyVerdict;
  /** Whether the server is bound to a loopback address; asked on each request, false until it listens. */
  readonly boundToLoopback: () => boolean;
  readonly log: Logger;
  /** Monotonic milliseconds; performance.now unless a test says otherwise. */
  readonly now?: () => number;
}

/** @param agent the id in the path, where a route is an agent's: its own key is good for it, and for nothing else */
export type Guard = (access: Access, caller: Caller, agent?: string) => Decision;

/** Scopes that need no token when the caller is on this machine. */
const OPEN_ON_LOOPBACK: readonly Scope[] = ["metrics", "read"];

/** Reads what matters for a decision; works for a plain request and for an upgrade. */
export function callerOf(request: IncomingMessage): Caller {
  const { headers } = request;
  return {
    peer: request.socket.remoteAddress ?? "",
    // headersDistinct, because `headers` keeps the first of several and hides that there were more.
    authorization: request.headersDistinct["authorization"] ?? [],
    host: headers.host,
    origin: headers.origin,
    fetchSite: headers["sec-fetch-site"]?.toString(),
    relayed: ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"].some((name) => name in headers),
  };
}

/** Makes the one function that decides about every request. Deny is the default: each `allow` below is an exception. */
export function createGuard(options: GuardOptions): Guard {
  const verify = createVerifier(options.tokens);
  const throttle = createThrottle(options.now ?? (() => performance.now()));
  const allowedHosts = new Set(options.allowedHosts.map((host) => hostName(host) ?? host.toLowerCase()));

  const withToken = (scope: Scope, caller: Caller): Decision => {
    const wait = throttle.wait(caller.peer);
    if (wait > 0)
      return deny(429, "too many wrong tokens from this address", { "Retry-After": `${Math.ceil(wait / 1_000)}` });
    const presented = bearerToken(caller.authorization);
    const token = presented === undefined ? undefined : verify(presented);
    if (token) return grants(token.scopes, scope) ? { allow: true } : deny(403, `this token lacks the scope ${scope}`);
    if (throttle.fail(caller.peer))
      options.log.warn({ peer: caller.peer }, "too many wrong tokens from one address: it has to wait");
    return unauthorized(
      `the token is not valid; the header is "Authorization: Bearer <token>"`,
      ', error="invalid_token"',
    );
  };

  /**
   * Before wrong tokens are counted: who guesses behind the same address must not keep an agent from reporting, nor an agent
   * with an old key its owner from looking. Nobody guesses 256 bits.
   */
  const withAgentKey = (agent: string, caller: Caller): Decision | undefined => {
    const presented = bearerToken(caller.authorization);
    const verdict = presented === undefined ? "other" : options.agentKey(agent, presented);
    if (verdict === "other") return undefined;
    if (verdict === "good") return { allow: true };
    if (verdict === "unavailable")
      return deny(503, "agents are kept in the database, which was not reached yet", { "Retry-After": "10" });
    const detail =
      verdict === "wrong" ? "this is not the agent's key" : `the agent's key is ${verdict}; its owner can renew it`;
    return unauthorized(detail, ', error="invalid_token"');
  };

  const withoutToken = (scope: Scope, caller: Caller): Decision => {
    const local = options.boundToLoopback() && isLoopback(caller.peer) && !caller.relayed;
    if (!local || !OPEN_ON_LOOPBACK.includes(scope))
      return unauthorized(`a token with the scope ${scope} is needed: "Authorization: Bearer <token>"`);
    // A page of another site can point its own name at 127.0.0.1 (DNS rebinding); the Host header still tells.
    if (!isKnownHost(caller.host, allowedHosts))
      return deny(403, "the Host header names another host; use localhost, or add the name to the allowed hosts");
    return { allow: true };
  };

  return (access, caller, agent) => {
    if (access === "public") return { allow: true };
    if (isCrossSite(caller, allowedHosts)) return deny(403, "requests from pages of other sites are not answered");
    const known = access === "ingest" && agent !== undefined ? withAgentKey(agent, caller) : undefined;
    if (known) return known;
    return caller.authorization.length > 0 ? withToken(access, caller) : withoutToken(access, caller);
  };
}

/** The one bearer token of a request; undefined when there are several headers or another scheme. */
function bearerToken(authorization: readonly string[]): string | undefined {
  if (authorization.length !== 1) return undefined;
  return /^Bearer +([^ \t]+) *$/i.exec(authorization[0] ?? "")?.[1];
}

function isKnownHost(host: string | undefined, allowedHosts: ReadonlySet<string>): boolean {
  const name = hostName(host ?? "");
  return name !== null && (name === "localhost" || isLoopback(name) || allowedHosts.has(name));
}

/** Whether a browser sent this for a page that is not ours. Programs send neither header. */
function isCrossSite(caller: Caller, allowedHosts: ReadonlySet<string>): boolean {
  if (caller.fetchSite === "cross-site") return true;
  if (caller.origin === undefined) return false;
  const host = URL.parse(caller.origin)?.host;
  return !host || (host !== caller.host?.toLowerCase() && !allowedHosts.has(hostName(host) ?? ""));
}

function deny(status: 401 | 403 | 429 | 503, detail: string, headers: Record<string, string> = {}): Decision {
  return { allow: false, status, detail, headers };
}

function unauthorized(detail: string, challenge = ""): Decision {
  return deny(401, detail, { "WWW-Authenticate": `Bearer realm="gleaner"${challenge}` });
}
