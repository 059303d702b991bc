import { randomInt } from "node:crypto";
import type { Answer, DecodedPacket } from "dns-packet";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { askOverUdp } from "../client/datagram.ts";
import { tlsOptions } from "../client/secrets.ts";
import { askOverStream, type Place } from "../client/stream.ts";
import { RESULTS, type Result, type Samples } from "./metrics.ts";

/** Types whose data is one text; those that are asked for. */
export const RECORDS = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] as const;

export interface Query {
  readonly name: string;
  readonly record: (typeof RECORDS)[number];
  /** Texts of which every one must be among the answers. */
  readonly expect: readonly string[];
}

/** Where and how a server is asked. */
export interface Server {
  readonly place: Place;
  readonly transport: "udp" | "tcp" | "tls";
  readonly tls_ca_file?: string | undefined;
  readonly timeoutMs: number;
}

interface Verdict {
  readonly result: Result;
  readonly seconds?: number;
  readonly answers?: number;
}

/** Answers over UDP may be this long: what resolvers have agreed on, because it fits every link. */
const UDP_BYTES = 1232;
const BY_RCODE: Readonly<Record<string, Result>> = {
  NOERROR: "ok",
  NXDOMAIN: "nxdomain",
  SERVFAIL: "servfail",
  REFUSED: "refused",
};

/** Asks one query. Whatever goes wrong on the way is a result; only the end of the run rejects. */
export async function askQuery(query: Query, server: Server, signal: AbortSignal): Promise<Samples> {
  const own = new AbortController();
  const timer = setTimeout(() => own.abort(new CollectError("timeout", "no answer")), server.timeoutMs);
  const begun = performance.now();
  try {
    const packet = await exchange(query, server, AbortSignal.any([signal, own.signal]));
    return samplesOf(query, { ...judge(packet, query), seconds: (performance.now() - begun) / 1000 });
  } catch (error) {
    signal.throwIfAborted();
    return samplesOf(query, { result: resultOf(error) });
  } finally {
    clearTimeout(timer);
  }
}

const isConnection = (code: unknown): boolean => typeof code === "string";

function resultOf(error: unknown): Result {
  if (error instanceof CollectError) return error.kind === "timeout" ? "timeout" : "malformed";
  // Errors of sockets, of TLS and of the resolver have a code; those of the decoder have none.
  return isConnection((error as { readonly code?: unknown } | null)?.code) ? "unreachable" : "malformed";
}

async function exchange(query: Query, server: Server, signal: AbortSignal): Promise<DecodedPacket> {
  const dns = await import("dns-packet");
  const id = randomInt(65_536);
  const packet = {
    type: "query" as const,
    id,
    flags: dns.RECURSION_DESIRED,
    questions: [{ name: query.name, type: query.record }],
    additionals: [{ type: "OPT" as const, name: ".", udpPayloadSize: UDP_BYTES }] as never,
  };
  const decode = (answer: Buffer) => {
    const decoded = dns.decode(answer);
    return decoded.type === "response" && decoded.id === id ? decoded : undefined;
  };
  const overStream = async () => {
    const tls = server.transport === "tls" ? { tls: "on" as const, tls_ca_file: server.tls_ca_file } : undefined;
    const options = tls && { ...(await tlsOptions(tls, server.place.host)), ALPNProtocols: ["dot"] };
    const enough = (received: Buffer) => received.length >= 2 && received.length >= received.readUInt16BE(0) + 2;
    const question = { place: server.place, tls: options, say: dns.streamEncode(packet), enough };
    const answer = decode((await askOverStream(question, signal)).subarray(2));
    if (!answer) throw new CollectError("bad_data", "not the answer to the question");
    return answer;
  };
  if (server.transport !== "udp") return overStream();
  const answer = await askOverUdp(server.place, dns.encode(packet), decode, signal);
  // Too long for a datagram: the same again over TCP, as every resolver does.
  return answer.flag_tc ? untilAborted(signal, () => undefined, overStream) : answer;
}

/** What an answer is worth: its code, and whether it holds what was asked for. */
function judge(packet: DecodedPacket, { record, expect }: Query): Verdict {
  const answers = (packet.answers ?? []).filter(({ type }) => type === record);
  const rcode = (packet as { readonly rcode?: string }).rcode ?? "";
  const result = BY_RCODE[rcode] ?? "other";
  if (result !== "ok") return { result, answers: answers.length };
  if (answers.length === 0) return { result: "no_answer", answers: 0 };
  const texts = new Set(answers.flatMap(textsOf));
  return { result: expect.every((text) => texts.has(normal(text))) ? "ok" : "unexpected", answers: answers.length };
}

/** Names have no case, and may end in a point. */
const normal = (text: string): string => text.toLowerCase().replace(/\.$/, "");

/** What of a record can be expected: its address, name or text; of MX the exchange, of SRV the target, of SOA the server. */
function textsOf(answer: Answer): readonly string[] {
  const data: unknown = "data" in answer ? answer.data : undefined;
  if (typeof data === "string" || Buffer.isBuffer(data)) return [normal(data.toString())];
  if (Array.isArray(data)) return [normal(data.map(String).join(""))];
  const { exchange, target, mname } = (data ?? {}) as Readonly<Record<string, unknown>>;
  return [exchange, target, mname].filter((text) => typeof text === "string").map(normal);
}

function samplesOf({ name, record }: Query, { result, seconds, answers }: Verdict): Samples {
  const labels = { query: name, record };
  return [
    { metric: "dns_query_success", value: Number(result === "ok"), labels },
    ...(seconds === undefined ? [] : [{ metric: "dns_query_seconds" as const, value: seconds, labels }]),
    ...(answers === undefined ? [] : [{ metric: "dns_answers" as const, value: answers, labels }]),
    ...RESULTS.map((one) => ({
      metric: "dns_query_result" as const,
      value: Number(one === result),
      labels: { ...labels, result: one },
    })),
  ];
}
