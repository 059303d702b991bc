import type { AlertSpec } from "../../model/alert.ts";

/** Nodes that block publishers. */
export const ALARM: readonly AlertSpec[] = [
  {
    name: "rabbitmq_alarm_raised",
    op: "gt",
    threshold: 0,
    for: "1m",
    severity: "critical",
    summary: "{node} of {target} is short of {resource}.",
    runbook: {
      meaning: "The node uses more memory than its high watermark, or has less free disk than its limit.",
      impact: "Every publisher of the whole cluster is blocked until the alarm is cleared.",
      check: [
        "`rabbitmq-diagnostics alarms`, `rabbitmq-diagnostics memory_breakdown`, `df -h` of its data folder.",
        "`gleaner_rabbitmq_queue_messages`: which queue grows, and whether it has consumers.",
      ],
      fix: [
        "Bring consumers back, or purge or limit (`max-length`) the queue that grows.",
        "Make room on the disk; give it more memory, or raise `vm_memory_high_watermark`.",
      ],
    },
  },
];

/** Clusters that have fallen apart. */
export const PARTITIONED: readonly AlertSpec[] = [
  {
    name: "rabbitmq_partitioned",
    op: "gt",
    threshold: 0,
    for: "1m",
    severity: "critical",
    summary: "{node} of {target} sees {value} nodes of its cluster on the other side of a partition.",
    runbook: {
      meaning: "Nodes lost sight of each other for a while, and each side went on by itself.",
      impact: "Queues differ between the sides; messages may be delivered twice or lost.",
      check: [
        "`rabbitmq-diagnostics cluster_status`.",
        "The network between the nodes at that time; long pauses of a node.",
      ],
      fix: [
        "Choose the side to trust, and restart the nodes of the other.",
        "Set `cluster_partition_handling = pause_minority` for the next time.",
      ],
    },
  },
];

/** Nodes that are members and do not run. */
export const NODE_DOWN: readonly AlertSpec[] = [
  {
    name: "rabbitmq_node_down",
    op: "lt",
    threshold: 1,
    for: "2m",
    severity: "error",
    summary: "{node} of {target} does not run.",
    runbook: {
      meaning: "The other nodes of the cluster know this one as a member, and it does not run.",
      impact: "Queues that only it holds cannot be used; the others have lost a replica.",
      check: ["`rabbitmq-diagnostics cluster_status` on another node.", "Its log, and the machine that it runs on."],
      fix: ["Start it again.", "One that will not come back: `rabbitmqctl forget_cluster_node <node>`."],
    },
  },
];
