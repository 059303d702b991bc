import { X509Certificate } from "node:crypto";

/** What can be wrong with a certificate; several may hold at once. */
export const PROBLEMS = [
  "expired",
  "not_yet_valid",
  /** For another host name than the one that is asked for. */
  "wrong_host",
  "self_signed",
  /** What the server sends does not lead to a trusted authority: an intermediate is missing, or nobody knows the authority. */
  "unknown_issuer",
  /** It leads to a root that the server sends along, and that is not trusted. */
  "untrusted_root",
  "revoked",
  /** Anything else that OpenSSL refuses: keys too weak, not made for a server. */
  "refused",
  /** The host has no address, or nothing listens there. */
  "unreachable",
  "timeout",
  /** It does not speak TLS, or shows no certificate. */
  "no_tls",
  /** The file is missing, or holds no certificate. */
  "unreadable",
] as const;
export type Problem = (typeof PROBLEMS)[number];

/** Errors of OpenSSL's verification, as Node names them. */
const VERDICTS: Readonly<Record<string, Problem>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not_yet_valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "wrong_host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "self_signed",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted_root",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown_issuer",
  UNABLE_TO_GET_ISSUER_CERT: "unknown_issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown_issuer",
  CERT_REVOKED: "revoked",
};

/** What OpenSSL holds against a certificate, in our words; nothing when it accepts it. */
export function verdictOf(code: string | undefined): readonly Problem[] {
  if (code === undefined) return [];
  return [Object.hasOwn(VERDICTS, code) ? (VERDICTS[code] ?? "refused") : "refused"];
}

/** A certificate with those that came with it. */
export interface Chain {
  readonly leaf: X509Certificate;
  /** The leaf first. */
  readonly all: readonly X509Certificate[];
}

/** What the dates of a chain say at a moment; the whole chain is as good as its worst part. */
export function dateProblems({ all }: Chain, now: Date): readonly Problem[] {
  return [
    ...(all.some(({ validToDate }) => validToDate <= now) ? (["expired"] as const) : []),
    ...(all.some(({ validFromDate }) => validFromDate > now) ? (["not_yet_valid"] as const) : []),
  ];
}

/** When the first certificate of a chain expires, in milliseconds since 1970. */
export const firstExpiry = ({ all }: Chain): number => Math.min(...all.map(({ validToDate }) => validToDate.getTime()));

/** Whether the certificate signed itself. */
export const isSelfSigned = ({ leaf }: Chain): boolean => leaf.subject === leaf.issuer && leaf.checkIssued(leaf);

/** Longest text of a certificate that becomes a label: whoever made it wrote what he liked. */
const MAX_NAME = 120;

/** `C=US\nO=Example\nCN=example.org` -> `example.org`; without a common name the whole of it on one line. */
export function commonName(name: string | undefined): string {
  const parts = (name ?? "").split("\n");
  const common = parts.findLast((part) => part.startsWith("CN="))?.slice(3);
  return (common ?? parts.join(", ")).slice(0, MAX_NAME);
}

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";
/** Certificates of one file; a system's bundle of authorities has some 140. */
const MAX_CERTIFICATES = 500;

/** The certificates in a PEM file, in its order; whatever else is in it, such as a key, is not looked at. */
export function readPem(text: string): { readonly certificates: readonly X509Certificate[]; readonly broken: number } {
  const certificates: X509Certificate[] = [];
  let broken = 0;
  for (let from = text.indexOf(BEGIN); from >= 0 && certificates.length + broken < MAX_CERTIFICATES; ) {
    const end = text.indexOf(END, from);
    if (end < 0) {
      broken += 1;
      break;
    }
    try {
      certificates.push(new X509Certificate(text.slice(from, end + END.length)));
    } catch {
      broken += 1;
    }
    from = text.indexOf(BEGIN, end);
  }
  return { certificates, broken };
}
