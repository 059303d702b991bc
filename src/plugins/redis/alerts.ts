import type { AlertSpec } from "../../model/alert.ts";

/** Servers that run into their memory limit. */
export const MEMORY: readonly AlertSpec[] = [
  {
    name: "redis_memory_high",
    op: "gt",
    threshold: 0.9,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{target} uses {value:percent} of its memory limit.",
    runbook: {
      meaning: "Data and buffers have taken more than 90 % of `maxmemory` for 10 minutes.",
      impact:
        "At the limit keys are evicted, or with the policy `noeviction` writes are refused: `OOM command not allowed`.",
      check: [
        "`redis-cli info memory`, `redis-cli --bigkeys`, `redis-cli memory doctor`.",
        "`rate(gleaner_redis_evicted_keys_total[5m])`: above 0 it evicts already.",
      ],
      fix: [
        "Give keys an expiry, or delete what is not needed. Raise `maxmemory` where the host has room.",
        "A cache that is full by design, with an eviction policy: mute the alert for its target.",
      ],
    },
  },
];

/** Servers whose data would be lost with the process. */
export const SAVING: readonly AlertSpec[] = [
  {
    name: "redis_save_failed",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: "{target} could not save its data to disk.",
    runbook: {
      meaning: "The last background save (RDB) failed.",
      impact:
        "What changed since the last good save is lost when the server stops; by default it takes no writes until a save succeeds (`MISCONF`).",
      check: [
        "The server's log; `df -h` and the rights of its `dir`.",
        "`sysctl vm.overcommit_memory`: with 0 a fork may fail for want of memory.",
      ],
      fix: ["Make room or mend the rights, set `vm.overcommit_memory=1`, then `redis-cli bgsave`."],
    },
  },
];

/** Replicas without their primary. */
export const LINK: readonly AlertSpec[] = [
  {
    name: "redis_replica_disconnected",
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: "{target} has lost its primary.",
    runbook: {
      meaning: "The replica has had no connection to its primary for 5 minutes.",
      impact: "It serves old data, and a failover to it would lose what came since.",
      check: [
        "`redis-cli info replication` on both.",
        "The network between them, `masterauth`, and the primary's log.",
      ],
      fix: [
        "Bring the primary or the network back; the replica catches up by itself.",
        "Where it starts a full synchronisation again and again, raise `repl-backlog-size`.",
      ],
    },
  },
];
