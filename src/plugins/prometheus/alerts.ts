import type { AlertSpec } from "../../model/alert.ts";

/** Exporters that cannot be scraped. */
export const EXPORTER_DOWN: readonly AlertSpec[] = [
  {
    name: "exporter_down",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: "The exporter {target} cannot be scraped.",
    runbook: {
      meaning: "For 5 minutes this exporter did not answer with an exposition.",
      impact: "Everything that it measures is unknown, and alerts on it cannot fire.",
      check: [
        '`gleaner_exporter_failure{target="<target>"} == 1`: the label `reason` says what is wrong.',
        "`curl -v <url>` from the host gleaner runs on; `npx gleaner run <target>` scrapes once and prints.",
      ],
      fix: ["Start the exporter.", "Mend the address, the password, or the firewall between the two."],
    },
  },
];
