import type { AlertSpec } from "../../model/alert.ts";

/** Containers whose own check fails. */
export const UNHEALTHY: readonly AlertSpec[] = [
  {
    name: "container_unhealthy",
    op: "gt",
    threshold: 0,
    where: { state: "unhealthy" },
    for: "3m",
    keepFiringFor: "2m",
    severity: "warning",
    summary: "The health check of {name} on {target} fails.",
    runbook: {
      meaning: "The check that the image or the compose file defines has failed as often as it may, for 3 minutes.",
      impact: "The program in the container runs and does not do its work; the engine does not restart it for that.",
      check: [
        "`docker inspect --format '{{json .State.Health}}' <name>`: what the check printed.",
        "`docker logs --tail 100 <name>`.",
      ],
      fix: ["`docker restart <name>`; mend what the check complains about."],
    },
  },
];

/** Containers that end as soon as they are started. */
export const RESTARTING: readonly AlertSpec[] = [
  {
    name: "container_restarting",
    op: "gt",
    threshold: 0,
    where: { state: "restarting" },
    for: "3m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{name} on {target} ends again and again.",
    runbook: {
      meaning: "The container ends soon after each start, and the engine waits before it starts it once more.",
      impact: "What the container does is not done.",
      check: ["`docker logs --tail 100 <name>`, `docker inspect --format '{{.State.ExitCode}}' <name>`."],
      fix: ["Mend its configuration, or go back to the image that worked; `docker stop <name>` ends the loop."],
    },
  },
];
