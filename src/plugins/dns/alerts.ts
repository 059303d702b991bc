import type { AlertSpec } from "../../model/alert.ts";

/** Servers that do not answer as they should. */
export const FAILING: readonly AlertSpec[] = [
  {
    name: "dns_query_failing",
    op: "lt",
    threshold: 1,
    for: "3m",
    keepFiringFor: "2m",
    severity: "critical",
    summary: "{target} does not answer {record} queries for {query} as it should.",
    runbook: {
      meaning:
        "A query that is asked all the time has failed for 3 minutes: no answer, an error, or not what is expected.",
      impact: "Whoever uses this server reaches nothing by name: it looks as if the network were gone.",
      check: [
        "`gleaner_dns_query_result` that is 1 says how it fails.",
        "`dig @<server> <query> <record>` from the collector's host and from another.",
        "The server's log; whether its own upstream servers answer.",
      ],
      fix: [
        "Restart the server; put a second one into what DHCP hands out.",
        "`unexpected`: correct the zone, or `expect` in the target's configuration.",
      ],
    },
  },
];

/** Filters that are switched off. */
export const BLOCKING: readonly AlertSpec[] = [
  {
    name: "dns_blocking_disabled",
    op: "lt",
    threshold: 1,
    for: "30m",
    severity: "info",
    summary: "{target} has blocked nothing for 30 minutes: its filter is switched off.",
    runbook: {
      meaning: "Blocking of advertisements and trackers was switched off on Pi-hole or AdGuard Home, and not on again.",
      impact: "Names resolve; advertisements and trackers get through.",
      check: ["The server's own page; whether somebody switched it off for a while."],
      fix: ["Switch it on there, or `pihole enable`."],
    },
  },
];
