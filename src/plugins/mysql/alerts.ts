import type { AlertSpec } from "../../model/alert.ts";

/** Servers that soon refuse clients. */
export const CONNECTIONS: readonly AlertSpec[] = [
  {
    name: "mysql_connections_high",
    op: "gt",
    threshold: 0.8,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the connections of {target} are in use.",
    runbook: {
      meaning: "More than 80 % of `max_connections` have been in use for 10 minutes.",
      impact: "At 100 % new clients are refused: `ERROR 1040 Too many connections`.",
      check: [
        "`show processlist`, by user and host.",
        "`gleaner_mysql_threads_running`: few running of many are idle.",
      ],
      fix: [
        "Mend or limit the application that opens so many; lower `wait_timeout`.",
        "Raise `max_connections` where the host has the memory for it.",
      ],
    },
  },
];

/** Replicas that have stopped. */
export const replication = (name: string, what: string): readonly AlertSpec[] => [
  {
    name,
    op: "lt",
    threshold: 1,
    for: "5m",
    severity: "error",
    summary: `{target} ${what} {channel}.`,
    runbook: {
      meaning: `The replica ${what}; its channel, if it has a name, is in the label.`,
      impact: "It serves old data, and a failover to it would lose what came since.",
      check: ["`show replica status\\G` (`show all slaves status\\G` on MariaDB): `Last_IO_Error`, `Last_SQL_Error`."],
      fix: [
        "Connection: bring the source, the network or the replication user's rights back.",
        "A statement that fails: mend the data it stumbles over, then `start replica`; skip it only if you know why.",
      ],
    },
  },
];

/** Replicas that fall behind. */
export const LAG: readonly AlertSpec[] = [
  {
    name: "mysql_replication_slow",
    op: "gt",
    threshold: 60,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{target} is {value:duration} behind its source {channel}.",
    runbook: {
      meaning: "The replica has been more than a minute behind for 10 minutes.",
      impact: "Readers of the replica see old data.",
      check: [
        "`show processlist` on the replica: a long statement, or one that waits for a lock.",
        "Disk and CPU of the replica.",
      ],
      fix: [
        "Split up large transactions on the source.",
        "Let the replica apply in parallel (`replica_parallel_workers`).",
      ],
    },
  },
];
