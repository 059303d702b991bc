import type { AlertSpec } from "../../model/alert.ts";

/** Units that have failed. */
export const UNIT_FAILED: readonly AlertSpec[] = [
  {
    name: "systemd_unit_failed",
    op: "gt",
    threshold: 0,
    where: { state: "failed" },
    for: "5m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{unit} of {target} has failed.",
    runbook: {
      meaning:
        "A service, timer or mount ended with an error, or could not be started, and systemd has given up on it.",
      impact: "What the unit does is not done: a service is away, a backup did not run, a file system is not mounted.",
      check: [
        "`systemctl status <unit>`, `journalctl -u <unit> -e`.",
        "`systemctl list-dependencies --reverse <unit>`.",
      ],
      fix: [
        "Mend the cause, then `systemctl restart <unit>`.",
        "A failure that does not matter: `systemctl reset-failed <unit>`, or add it to `exclude_units`.",
      ],
    },
  },
];
