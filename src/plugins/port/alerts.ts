import type { AlertSpec } from "../../model/alert.ts";

/** Ports that cannot be reached. */
export const PORT_DOWN: readonly AlertSpec[] = [
  {
    name: "port_down",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{endpoint} cannot be reached.",
    runbook: {
      meaning: "For 2 minutes nothing answered there, or not as expected.",
      impact: "Clients of the service cannot reach it either.",
      check: [
        '`gleaner_port_failure{endpoint="<endpoint>"} == 1`: the label `reason` says what is wrong.',
        "`refused`: the host is there and the service is not. `timeout`: the host is away, or a firewall drops what is sent.",
        "`nc -vz <host> <port>` from the host gleaner runs on; `ss -ltnp` on the other.",
      ],
      fix: ["Start the service.", "Open the firewall for gleaner's host."],
    },
  },
];
