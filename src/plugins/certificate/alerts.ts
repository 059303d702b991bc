import type { AlertSpec, Runbook } from "../../model/alert.ts";

const DAY = 86_400;

const RENEWAL: Omit<Runbook, "meaning"> = {
  impact: "From then on browsers and clients refuse to talk to the server.",
  check: [
    "`openssl s_client -connect <host>:443 -servername <host> -showcerts </dev/null`, or `openssl x509 -noout -dates -in <file>`.",
    "Whether it is the certificate itself or one of its chain: `gleaner_certificate_not_after_timestamp_seconds` is the certificate's own.",
    "The log of what renews it: `certbot renew --dry-run`, the reverse proxy.",
  ],
  fix: ["Renew it, and reload the server: many keep the old one until they are told."],
};

/** Certificates that expire. */
export const EXPIRY: readonly AlertSpec[] = [
  {
    name: "certificate_expires_soon",
    op: "lt",
    threshold: 14 * DAY,
    for: "1h",
    severity: "warning",
    summary: "{certificate} expires in {value:duration}.",
    runbook: { ...RENEWAL, meaning: "This certificate, or one of its chain, expires in less than 14 days." },
  },
  {
    name: "certificate_expires_now",
    op: "lt",
    threshold: 3 * DAY,
    for: "10m",
    severity: "critical",
    summary: "{certificate} expires in {value:duration}.",
    runbook: {
      ...RENEWAL,
      meaning:
        "This certificate, or one of its chain, expires in less than 3 days, or has expired when the time is negative.",
    },
  },
];

/** Certificates that are no good, or that cannot be looked at. */
export const INVALID: readonly AlertSpec[] = [
  {
    name: "certificate_invalid",
    op: "gt",
    threshold: 0,
    for: "15m",
    severity: "error",
    summary: "{certificate} is not good: {reason}.",
    runbook: {
      meaning:
        "For 15 minutes clients would have refused this certificate, or it could not be looked at. The label `reason` says why.",
      impact:
        "Browsers and clients refuse to talk to the server; those that do not check are open to anybody in between.",
      check: [
        "`openssl s_client -connect <host>:443 -servername <host> -showcerts </dev/null`: the last line is OpenSSL's verdict.",
        "`unknown_issuer`: does the server send its intermediate certificates?",
        "`wrong_host`: is the name under `server_name`, or `host`, one of those in the certificate?",
      ],
      fix: [
        "Install the certificate with its whole chain (of certbot: fullchain.pem), and reload the server.",
        "An authority of one's own: name its certificate under `tls_ca_file`.",
      ],
    },
  },
];
