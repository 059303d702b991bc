import type { Definition } from "./assemble.ts";
import { bars, stat, table, timeseries } from "./kinds.ts";
import { UIDS } from "./links.ts";
import { NEUTRAL, NONE_WELCOME, rising } from "./panels.ts";
import { metric, most, now, nowTable, prom, rate } from "./queries.ts";
import { UNITS } from "./units.ts";
import { COLLECTORS, labelVariable } from "./variables.ts";

const OURS = 'target=~"$target"';
const own = (name: string, matchers = "") => metric(name, matchers === "" ? OURS : `${OURS}, ${matchers}`);
const ownRate = (name: string, matchers = "") => rate(name, matchers === "" ? OURS : `${OURS}, ${matchers}`);
/** A host is a target at an instance. */
const EACH = "instance";

const busy = `1 - avg by (${EACH}) (${own("gleaner_cpu_usage_ratio", 'mode="idle"')})`;

const stats = [
  stat({
    title: "CPU",
    description: "Share of CPU time that was not idle.",
    ...{ w: 3, h: 4, unit: UNITS.PercentUnit, decimals: 0, min: 0, max: 1, thresholds: rising(0.8, 0.95), spark: true },
    queries: [prom(busy, "{{instance}}")],
  }),
  stat({
    title: "Load a CPU",
    description: "Load of the last 5 minutes divided by the number of CPUs; above 1, something waits.",
    ...{ w: 3, h: 4, unit: UNITS.Short, decimals: 2, thresholds: rising(1, 2), spark: true },
    queries: [
      prom(`max by (${EACH}) (${own("gleaner_load5")}) / max by (${EACH}) (${own("gleaner_cpus")})`, "{{instance}}"),
    ],
  }),
  stat({
    title: "Memory",
    description: "Share of memory that programs could not get without swapping.",
    ...{ w: 3, h: 4, unit: UNITS.PercentUnit, decimals: 0, thresholds: rising(0.8, 0.95), spark: true },
    queries: [prom(`max by (${EACH}) (${own("gleaner_memory_used_ratio")})`, "{{instance}}")],
  }),
  stat({
    title: "Swap in use",
    description: "Swap space in use; none of it matters while nothing is read back.",
    ...{ w: 3, h: 4, unit: UNITS.BytesIEC, thresholds: NEUTRAL, spark: true },
    queries: [prom(`max by (${EACH}) (${own("gleaner_swap_used_bytes")})`, "{{instance}}")],
  }),
  stat({
    title: "Fullest file system",
    description: "Used share of the file system with the least room.",
    ...{ w: 3, h: 4, unit: UNITS.PercentUnit, decimals: 0, thresholds: rising(0.8, 0.95) },
    queries: [now(`max by (${EACH}) (${metric("gleaner_filesystem_used_ratio")})`, "{{instance}}")],
  }),
  stat({
    title: "Read-only file systems",
    description: "File systems that are mounted read-only: after an error, or on purpose.",
    ...{ w: 3, h: 4, unit: UNITS.Short, decimals: 0, thresholds: NONE_WELCOME },
    queries: [now(`sum by (${EACH}) (${metric("gleaner_filesystem_readonly")})`, "{{instance}}")],
  }),
  stat({
    title: "Network errors",
    description: "Packets in the time range that had an error or were dropped, of all devices.",
    ...{ w: 3, h: 4, unit: UNITS.Short, decimals: 0, thresholds: rising(1, 1000) },
    queries: [now(lostPackets(), "{{instance}}")],
  }),
  stat({
    title: "Up for",
    description: "Time since the host started.",
    ...{ w: 3, h: 4, unit: UNITS.Seconds, decimals: 1, thresholds: NEUTRAL },
    queries: [now(`max by (${EACH}) (${own("gleaner_uptime_seconds")})`, "{{instance}}")],
  }),
];

function lostPackets(): string {
  const kinds = ["receive_errors", "transmit_errors", "receive_drop", "transmit_drop"];
  return kinds
    .map((kind) => `sum by (${EACH}) (increase(${metric(`gleaner_network_${kind}_total`)}[$__range]))`)
    .join(" + ");
}

const cpu = timeseries({
  title: "CPU by mode",
  description: "Share of all CPU time in each mode but idle. Much iowait is a slow disk, much steal a busy neighbour.",
  ...{ w: 6, h: 7, unit: UNITS.PercentUnit, min: 0, stacked: true },
  queries: [
    prom(`avg by (instance, mode) (${own("gleaner_cpu_usage_ratio", 'mode!="idle"')})`, "{{mode}} {{instance}}"),
  ],
});

const load = timeseries({
  title: "Load",
  description: "Tasks that run or wait, on the mean of 1, 5 and 15 minutes, beside the number of CPUs.",
  ...{ w: 6, h: 7, unit: UNITS.Short, decimals: 1 },
  queries: ["load1", "load5", "load15", "cpus"].map((name) =>
    prom(`max by (${EACH}) (${own(`gleaner_${name}`)})`, `${name} {{instance}}`),
  ),
});

const memory = timeseries({
  title: "Memory and swap in use",
  description: "Memory that programs could not get without swapping, and swap, beside what there is of memory.",
  ...{ w: 6, h: 7, unit: UNITS.BytesIEC },
  queries: [
    prom(
      `max by (${EACH}) (${own("gleaner_memory_total_bytes")}) - max by (${EACH}) (${own("gleaner_memory_available_bytes")})`,
      "in use {{instance}}",
    ),
    prom(`max by (${EACH}) (${own("gleaner_swap_used_bytes")})`, "swap {{instance}}"),
    prom(`max by (${EACH}) (${own("gleaner_memory_total_bytes")})`, "installed {{instance}}"),
  ],
});

const pressure = timeseries({
  title: "Pressure",
  description:
    "Share of time in which at least one task waited for the resource, and in which all did. The first sign of too little of it.",
  ...{ w: 6, h: 7, unit: UNITS.PercentUnit, noValue: "this kernel does not tell" },
  queries: [
    prom(
      `max by (instance, resource) (${ownRate("gleaner_pressure_waiting_seconds_total")})`,
      "{{resource}}: some {{instance}}",
    ),
    prom(
      `max by (instance, resource) (${ownRate("gleaner_pressure_stalled_seconds_total")})`,
      "{{resource}}: all {{instance}}",
    ),
  ],
  interval: "2m",
});

const space = bars({
  title: "File systems",
  description: "Used share of the twelve fullest file systems.",
  ...{ w: 6, h: 7, unit: UNITS.PercentUnit, decimals: 0, min: 0, max: 1, thresholds: rising(0.8, 0.95) },
  queries: [
    now(
      `sort_desc(topk(12, max by (instance, mountpoint) (${metric("gleaner_filesystem_used_ratio")})))`,
      "{{mountpoint}} {{instance}}",
    ),
  ],
});

const DEVICES = 6;
const perDevice = (name: string) =>
  most(
    DEVICES,
    `sum by (instance, device) (${rate(name)})`,
    `sum by (instance, device) (increase(${metric(name)}[$__range] @ end()))`,
  );

const throughput = timeseries({
  title: "Disk throughput",
  description: "Bytes read and written a second, of the six busiest disks.",
  ...{ w: 6, h: 7, unit: UNITS.BytesPerSecondIEC, interval: "2m" },
  queries: [
    prom(perDevice("gleaner_disk_read_bytes_total"), "read {{device}} {{instance}}"),
    prom(perDevice("gleaner_disk_written_bytes_total"), "written {{device}} {{instance}}"),
  ],
});

const disks = timeseries({
  title: "Disk busy",
  description: "Share of time in which a disk had a request under way, of the six busiest.",
  ...{ w: 6, h: 7, unit: UNITS.PercentUnit, min: 0, interval: "2m" },
  queries: [prom(perDevice("gleaner_disk_io_time_seconds_total"), "{{device}} {{instance}}")],
});

const network = timeseries({
  title: "Network",
  description: "Bytes received and sent a second, of the six busiest devices.",
  ...{ w: 6, h: 7, unit: UNITS.BytesPerSecondIEC, interval: "2m" },
  queries: [
    prom(perDevice("gleaner_network_receive_bytes_total"), "received {{device}} {{instance}}"),
    prom(perDevice("gleaner_network_transmit_bytes_total"), "sent {{device}} {{instance}}"),
  ],
});

const temperatures = timeseries({
  title: "Temperatures",
  description: "What the host's sensors report; virtual machines have none.",
  ...{
    w: 8,
    h: 8,
    unit: UNITS.Celsius,
    decimals: 0,
    thresholds: rising(75, 85),
    lines: true,
    noValue: "this host has no sensors",
  },
  queries: [
    prom(
      most(
        12,
        `max by (instance, sensor) (${own("gleaner_temperature_celsius")})`,
        `max by (instance, sensor) (max_over_time(${own("gleaner_temperature_celsius")}[$__range] @ end()))`,
      ),
      "{{sensor}} {{instance}}",
    ),
  ],
});

const connections = timeseries({
  title: "TCP",
  description: "Sockets by state, and segments a second that had to be sent again.",
  ...{ w: 8, h: 8, unit: UNITS.Short },
  queries: [
    prom(`sum by (state) (${metric("gleaner_tcp_connections")})`, "{{state}}"),
    prom(`sum(${rate("gleaner_tcp_retransmitted_segments_total")})`, "sent again a second"),
  ],
  interval: "2m",
});

const system = table({
  title: "Operating systems",
  description: "What each host runs.",
  ...{ w: 8, h: 8 },
  queries: [nowTable(`max by (instance, name, version, kernel, architecture) (${own("gleaner_os_info")})`)],
  transformations: [
    {
      id: "filterFieldsByName",
      options: { include: { names: ["instance", "name", "version", "kernel", "architecture"] } },
    },
  ],
});

/** The machines that gleaner runs on: what is scarce. */
export const host: Definition = {
  uid: UIDS.host,
  title: "gleaner / Host",
  description: "The machines that gleaner runs on: what is scarce.",
  range: "3h",
  refresh: "1m",
  variables: [
    ...COLLECTORS,
    labelVariable({
      ...{ name: "target", label: "Target", description: "Hosts, as targets of the plugin system_info." },
      of: metric("gleaner_target_up", 'plugin="system_info"'),
    }),
  ],
  tiles: [...stats, cpu, load, memory, pressure, space, throughput, disks, network],
  folded: [{ title: "Temperatures, connections, operating systems", tiles: [temperatures, connections, system] }],
};
