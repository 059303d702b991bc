import type { AlertSpec } from "../../model/alert.ts";

/** Endpoints that do not answer as they should. */
export const ENDPOINT_DOWN: readonly AlertSpec[] = [
  {
    name: "http_endpoint_down",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{endpoint} does not answer as expected.",
    runbook: {
      meaning:
        "The last requests to this web service failed, took too long, or were answered with something unexpected.",
      impact: "Whoever uses the service sees the same.",
      check: [
        '`gleaner_http_failure{endpoint="<endpoint>"} == 1`: the label `reason` says what is wrong.',
        "`curl -v <url>` from the host gleaner runs on.",
        "`npx gleaner run <target>` asks once and prints what came back.",
      ],
      fix: [
        "Start or mend the service, its reverse proxy, or the name it is reached by.",
        "An answer that is right after all: say so under `expected_status` or `content` of web_service_monitor.",
      ],
    },
  },
];

/** Endpoints that take long. */
export const ENDPOINT_SLOW: readonly AlertSpec[] = [
  {
    name: "http_endpoint_slow",
    op: "gt",
    threshold: 5,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{endpoint} takes {value:duration} to answer.",
    runbook: {
      meaning: "Requests to this web service have taken more than 5 seconds for 10 minutes.",
      impact: "Users wait; clients with short deadlines fail already.",
      check: [
        '`gleaner_http_response_seconds{endpoint="<endpoint>"}`: the label `phase` says where the time goes.',
        "`processing` is the server's own; `resolve`, `connect` and `tls` are the way to it; `transfer` is the answer's size.",
      ],
      fix: ["Look at the load of the server and of its database.", "Ask for a lighter page: a health endpoint."],
    },
  },
];

/** Certificates of endpoints that expire soon. */
export const ENDPOINT_CERTIFICATE: readonly AlertSpec[] = [
  {
    name: "http_certificate_expires",
    op: "lt",
    threshold: 14 * 86_400,
    for: "1h",
    severity: "warning",
    summary: "The certificate of {endpoint} expires in {value:duration}.",
    runbook: {
      meaning: "The certificate that this web service shows expires in less than 14 days.",
      impact: "From then on browsers and clients refuse to talk to it.",
      check: [
        "`openssl s_client -connect <host>:443 -servername <host> </dev/null | openssl x509 -noout -dates -issuer`.",
        "The log of what renews it: `certbot renew --dry-run`, the reverse proxy, the hosting company.",
      ],
      fix: ["Renew it, and reload the server: many keep the old one until they are told."],
    },
  },
];
