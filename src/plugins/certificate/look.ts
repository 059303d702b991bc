import { X509Certificate } from "node:crypto";
import { checkServerIdentity, type TLSSocket } from "node:tls";
import { CollectError } from "../../model/run.ts";
import { readConfigured } from "../client/files.ts";
import { ConnectError, discard, openTcp, startTls } from "../web/connect.ts";
import { withDeadline } from "../web/deadline.ts";
import { type Chain, dateProblems, isSelfSigned, type Problem, readPem, verdictOf } from "./facts.ts";

/** What was found out about one certificate. */
export interface Finding {
  readonly problems: ReadonlySet<Problem>;
  /** Absent when no certificate could be read. */
  readonly chain?: Chain;
  /** Whether it leads to a trusted authority, and whether it is for the host: of servers only. */
  readonly isChainValid?: boolean;
  readonly isForHost?: boolean;
  readonly protocol?: string;
  readonly handshakeSeconds?: number;
  /** For the log. */
  readonly detail?: string;
}

/** A server that shows a certificate. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** The name that is asked for and that the certificate must be for. */
  readonly serverName: string;
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
}

/** Chains are three or four long; a hostile server may send hundreds. */
const MAX_CHAIN = 10;

/**
 * Looks at the certificate that a server shows. That something is wrong with it, or that there is none, is what is to be found out.
 * @throws the signal's reason when it aborts
 */
export async function lookAtServer(server: Server, now: Date, signal: AbortSignal): Promise<Finding> {
  try {
    return await withDeadline(server.timeoutMs, signal, async (own) => {
      const tcp = await openTcp(server, own);
      const { socket, times } = await startTls(tcp, server, own);
      try {
        return { ...judge(socket, server, now), ...(times.tls === undefined ? {} : { handshakeSeconds: times.tls }) };
      } finally {
        discard(socket);
      }
    });
  } catch (error) {
    signal.throwIfAborted();
    return { problems: new Set([problemOf(error)]), detail: error instanceof Error ? error.message : String(error) };
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof CollectError && error.kind === "timeout") return "timeout";
  if (!(error instanceof ConnectError)) throw error;
  return error.step === "tls" ? "no_tls" : "unreachable";
}

function judge(socket: TLSSocket, { serverName }: Server, now: Date): Finding {
  const chain = chainOf(socket);
  if (chain === undefined) return { problems: new Set(["no_tls"]), detail: "the server shows no certificate" };
  // Typed as an Error, but a code.
  const refused = socket.authorized ? undefined : String(socket.authorizationError);
  const verdict = verdictOf(refused);
  const isForHost = checkServerIdentity(serverName, chain.leaf.toLegacyObject()) === undefined;
  const problems: readonly Problem[] = [
    ...verdict,
    ...dateProblems(chain, now),
    ...(isForHost ? [] : (["wrong_host"] as const)),
    ...(isSelfSigned(chain) && !socket.authorized ? (["self_signed"] as const) : []),
  ];
  return {
    ...{ problems: new Set(problems), chain, isForHost },
    // The name is looked at last, when all else is well.
    isChainValid: refused === undefined || verdict[0] === "wrong_host",
    protocol: socket.getProtocol() ?? "unknown",
    ...(refused === undefined ? {} : { detail: refused }),
  };
}

function chainOf(socket: TLSSocket): Chain | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  const all = [leaf];
  for (let next = leaf.issuerCertificate; next !== undefined && all.length < MAX_CHAIN; next = next.issuerCertificate) {
    if (all.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)) break;
    all.push(next);
  }
  return { leaf, all };
}

/** Looks at the certificates in a PEM file, which are judged by their dates: nobody says what they are for. */
export async function lookAtFile(path: string, now: Date): Promise<Finding> {
  try {
    const { certificates, broken } = readPem(await readConfigured(path, "files"));
    const [leaf] = certificates;
    const detail = broken > 0 ? { detail: `${broken} of its certificates cannot be read` } : {};
    if (!(leaf instanceof X509Certificate))
      return { problems: new Set(["unreadable"]), detail: "holds no certificate" };
    const chain = { leaf, all: certificates };
    const unreadable = broken > 0 ? (["unreadable"] as const) : [];
    return { problems: new Set<Problem>([...dateProblems(chain, now), ...unreadable]), chain, ...detail };
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    return { problems: new Set(["unreadable"]), detail: error.message };
  }
}
