import type { AlertSpec } from "../../model/alert.ts";

/** Servers that soon refuse clients. */
export const CONNECTIONS: readonly AlertSpec[] = [
  {
    name: "mongodb_connections_high",
    op: "gt",
    threshold: 0.8,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the connections of {target} are in use.",
    runbook: {
      meaning: "More than 80 % of the connections that the server accepts have been in use for 10 minutes.",
      impact: "At 100 % new clients are refused.",
      check: ["`db.serverStatus().connections`; `db.currentOp(true)` by client and application."],
      fix: [
        "Limit the pools of the applications (`maxPoolSize`): each process of each of them has one.",
        "Raise the limit of open files of the server, or `net.maxIncomingConnections`.",
      ],
    },
  },
];

/** Members of a replica set that others do not see. */
export const MEMBER_DOWN: readonly AlertSpec[] = [
  {
    name: "mongodb_member_down",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{member} is not seen by the members of its replica set.",
    runbook: {
      meaning: "Heartbeats to the member have failed for 2 minutes.",
      impact: "The set has lost a copy of its data; when a majority is gone it takes no writes.",
      check: ["`rs.status()` on a member that works: `lastHeartbeatMessage`.", "The member's log, and its machine."],
      fix: [
        "Start it; it catches up by itself as long as the oplog reaches back far enough.",
        "One that has been away for longer: empty its data folder and let it synchronise anew.",
      ],
    },
  },
];

/** Replicas that fall behind. */
export const LAG: readonly AlertSpec[] = [
  {
    name: "mongodb_replication_slow",
    op: "gt",
    threshold: 60,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{member} is {value:duration} behind its primary.",
    runbook: {
      meaning: "The secondary has been more than a minute behind its primary for 10 minutes.",
      impact:
        "Readers of it see old data; writes that wait for a majority wait longer; behind the oplog's end it must synchronise anew.",
      check: [
        "`rs.printSecondaryReplicationInfo()`, `db.currentOp()` on the secondary.",
        "Its disk and CPU; the network.",
      ],
      fix: ["Give the secondary what the primary has in disk and CPU.", "Enlarge the oplog (`replSetResizeOplog`)."],
    },
  },
];
