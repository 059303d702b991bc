import type { TLSSocket } from "node:tls";
import { CollectError } from "../../model/run.ts";
import { ConnectError, type Connection, discard, openTcp, type Step, startTls } from "./connect.ts";
import { type Answer, ExchangeError, exchange } from "./exchange.ts";
import { contentMatches, type Expectations, isExpected } from "./expectations.ts";

/** Where the time of a request goes. */
export const PHASES = ["resolve", "connect", "tls", "processing", "transfer"] as const;
type Phase = (typeof PHASES)[number];

/** Why an endpoint is not as it should be. */
export const REASONS = [
  "timeout",
  "resolve",
  "connect",
  /** No handshake, or a certificate that is not to be trusted. */
  "tls",
  /** What came back is no HTTP, or ended early. */
  "protocol",
  "too_large",
  /** More redirects than allowed, or to something that is not http. */
  "redirect",
  "status",
  "content",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Question extends Expectations {
  readonly url: string;
  readonly method: string;
  /** Sent only to the origin that is asked, and not where it redirects to elsewhere: there may be secrets among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly max_redirects: number;
  readonly verify_tls: boolean;
  readonly ca?: string | undefined;
}

/** What is known of an endpoint after asking; what was not reached is absent. */
export interface Finding {
  /** Absent when all is well. */
  failure?: { readonly reason: Reason; readonly detail: string };
  status?: number;
  bytes?: number;
  contentMatch?: boolean;
  redirects: number;
  readonly seconds: Partial<Record<Phase, number>>;
  /** When the certificate that the server shows expires. */
  certificateExpires?: Date;
  certificateTrusted?: boolean;
}

/** Asks an endpoint and judges what it says. Never rejects: that something is wrong is what is to be found out. */
export async function probe(question: Question, signal: AbortSignal): Promise<Finding> {
  const finding: Finding = { redirects: 0, seconds: {} };
  try {
    const answer = await follow(question, finding, signal);
    judge(answer, question, finding);
  } catch (error) {
    finding.failure = failureOf(signal.aborted ? signal.reason : error);
  }
  return finding;
}

/** An answer that is no good, found on the way. */
class Unwell extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

function failureOf(error: unknown): NonNullable<Finding["failure"]> {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof Unwell || error instanceof ExchangeError) return { reason: error.reason, detail };
  if (error instanceof ConnectError) return { reason: error.step, detail };
  return { reason: error instanceof CollectError ? "timeout" : "protocol", detail };
}

async function follow(question: Question, finding: Finding, signal: AbortSignal): Promise<Answer> {
  const first = new URL(question.url);
  let url = first;
  let { method, body } = question;
  for (;;) {
    const headers = url.origin === first.origin ? question.headers : {};
    const answer = await ask(url, { method, body, headers }, question, finding, signal);
    const next = redirectOf(answer, url);
    if (next === undefined || question.max_redirects === 0) return answer;
    if (finding.redirects >= question.max_redirects)
      throw new Unwell("redirect", `more than ${question.max_redirects} redirects`);
    finding.redirects += 1;
    url = next;
    // As browsers do it: only 307 and 308 repeat a request that had a body.
    if (answer.status < 307 && method !== "HEAD") [method, body] = ["GET", undefined];
  }
}

/** Where an answer sends its reader; undefined when it is no redirect. */
function redirectOf({ status, headers }: Answer, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  const to = URL.parse(headers.location, from.href);
  if (to !== null && /^https?:$/.test(to.protocol)) return to;
  throw new Unwell("redirect", `redirected to something that is not http: ${headers.location.slice(0, 100)}`);
}

type Request = Pick<Question, "method" | "body" | "headers">;

async function ask(
  url: URL,
  request: Request,
  question: Question,
  finding: Finding,
  signal: AbortSignal,
): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const tcp = await openTcp({ host, port }, signal);
  const isSecure = url.protocol === "https:";
  add(finding, isSecure ? {} : tcp.times);
  const { socket } = isSecure ? await secured(tcp, host, question, finding, signal) : tcp;
  const answer = await exchange(socket, { url, ...request }, signal);
  add(finding, answer.times);
  finding.status = answer.status;
  finding.bytes = answer.body.length;
  return answer;
}

/** TLS, with a look at the certificate before anything is sent that the server should not see. */
async function secured(
  tcp: Connection,
  serverName: string,
  { ca, verify_tls }: Question,
  finding: Finding,
  signal: AbortSignal,
): Promise<{ readonly socket: TLSSocket }> {
  const { socket, times } = await startTls(tcp, { serverName, ca, alpn: ["http/1.1"] }, signal);
  add(finding, times);
  const certificate = socket.getPeerX509Certificate();
  if (certificate) finding.certificateExpires = certificate.validToDate;
  finding.certificateTrusted = socket.authorized;
  if (socket.authorized || !verify_tls) return { socket };
  discard(socket);
  throw new Unwell("tls", `the certificate is not to be trusted: ${socket.authorizationError}`);
}

function add({ seconds }: Finding, times: Partial<Record<Phase | Step, number>>): void {
  for (const phase of PHASES) {
    const time = times[phase];
    if (time !== undefined) seconds[phase] = (seconds[phase] ?? 0) + time;
  }
}

function judge(answer: Answer, question: Question, finding: Finding): void {
  const matches = contentMatches(answer.body, question);
  if (matches !== undefined) finding.contentMatch = matches;
  if (!isExpected(answer.status, question)) throw new Unwell("status", `HTTP ${answer.status}`);
  if (matches === false) throw new Unwell("content", "the content is not as expected");
}
