import type { AlertSpec } from "../../model/alert.ts";

const CHECK = [
  '`gleaner_ping_failure{host="<host>"} == 1`: the label `reason` says what is wrong.',
  "`mtr <host>` from the host gleaner runs on shows where on the way packets get lost.",
];

/** Hosts that do not answer. */
export const HOST_DOWN: readonly AlertSpec[] = [
  {
    name: "ping_host_down",
    op: "lt",
    threshold: 1,
    for: "3m",
    severity: "error",
    summary: "{host} does not answer to ping.",
    runbook: {
      meaning: "For 3 minutes the host answered to no packet.",
      impact: "The host is off, or the way to it is cut: nothing on it can be reached.",
      check: CHECK,
      fix: [
        "Switch it on; look at its power, cable and switch port.",
        "A host that never answers to ping: use port_monitor.",
      ],
    },
  },
];

/** Ways on which packets get lost. */
export const PACKET_LOSS: readonly AlertSpec[] = [
  {
    name: "ping_packet_loss",
    op: "gt",
    threshold: 0.2,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the packets to {host} are lost.",
    runbook: {
      meaning: "More than 20 % of the packets to this host have been lost for 10 minutes.",
      impact: "Connections are slow and break.",
      check: CHECK,
      fix: ["A full or faulty link: look at errors and drops of the switch ports and radios on the way."],
    },
  },
];
