import type { AlertSpec } from "../../model/alert.ts";

const SPACE = {
  impact:
    "When it is full nothing can be written there: databases stop, logs are cut off, and gleaner's own spool fills.",
  check: [
    "`df -h <mountpoint>` on the host; `du -xh --max-depth=2 <mountpoint> | sort -h | tail`.",
    '`predict_linear(gleaner_filesystem_avail_bytes{mountpoint="<mountpoint>"}[6h], 86400)`: below 0 it is full within a day.',
    "`lsof +L1`: deleted files that a process still holds.",
  ],
  fix: [
    "Delete or move what is not needed; rotate logs; `journalctl --vacuum-size=500M`.",
    "Enlarge the file system.",
    "One that is always full by design (an image mounted read-only): add it to `exclude_mountpoints` of disk_monitor.",
  ],
};

/** File systems that fill up. */
export const FILESYSTEM_SPACE: readonly AlertSpec[] = [
  {
    name: "filesystem_filling",
    op: "gt",
    threshold: 0.8,
    for: "15m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{mountpoint} of {target} is {value:percent} full.",
    runbook: { ...SPACE, meaning: "Of the space open to ordinary users more than 80 % is used." },
  },
  {
    name: "filesystem_almost_full",
    op: "gt",
    threshold: 0.95,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "{mountpoint} of {target} is {value:percent} full.",
    runbook: { ...SPACE, meaning: "Of the space open to ordinary users more than 95 % is used." },
  },
];

/** File systems that can no longer be written. */
export const FILESYSTEM_READONLY: readonly AlertSpec[] = [
  {
    name: "filesystem_readonly",
    op: "gt",
    threshold: 0,
    for: "5m",
    severity: "warning",
    summary: "{mountpoint} of {target} is mounted read-only.",
    runbook: {
      meaning: "The kernel made the file system read-only after an error, or it is mounted so on purpose.",
      impact: "Nothing can be written there.",
      check: ["`dmesg -T | grep -iE 'remount|I/O error|ext4|xfs'`.", "`grep <mountpoint> /proc/mounts /etc/fstab`."],
      fix: [
        "After an error: save what is there, check the disk (`smartctl -a`), run fsck, and mount it again.",
        "Read-only on purpose: add it to `exclude_mountpoints` of disk_monitor.",
      ],
    },
  },
];

const HEAT = {
  impact:
    "The processor slows itself down; above its limit the machine switches itself off. Heat shortens the life of disks.",
  check: [
    "`sensors`, or `gleaner_temperature_celsius` over the day.",
    "Load, fans, dust, and the temperature of the room.",
  ],
  fix: [
    "Clean or replace fans, and give it air.",
    "Move load elsewhere.",
    "A sensor that is known to read wrong: mute it by its label `sensor`.",
  ],
};

/** Sensors of the host that are hot. */
export const TEMPERATURE: readonly AlertSpec[] = [
  {
    name: "host_hot",
    op: "gt",
    threshold: 75,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{sensor} of {target} is at {value} °C.",
    runbook: { ...HEAT, meaning: "A temperature sensor of the host has been above 75 °C for 10 minutes." },
  },
  {
    name: "host_too_hot",
    op: "gt",
    threshold: 85,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "{sensor} of {target} is at {value} °C.",
    runbook: { ...HEAT, meaning: "A temperature sensor of the host has been above 85 °C for 5 minutes." },
  },
];

const SHORTAGE = {
  impact: "The host begins to swap; then the kernel ends processes, the largest first.",
  check: [
    "`free -h`, `ps aux --sort=-rss | head`; in containers `docker stats`.",
    '`rate(gleaner_pressure_stalled_seconds_total{resource="memory"}[5m])`: above 0 work stands still for want of memory.',
    "`dmesg -T | grep -i 'killed process'`.",
  ],
  fix: ["Restart or limit the process that grows.", "Add memory, or move a service to another host."],
};

/** Hosts that run out of memory. */
export const MEMORY: readonly AlertSpec[] = [
  {
    name: "host_memory_low",
    op: "gt",
    threshold: 0.9,
    for: "15m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the memory of {target} is in use.",
    runbook: { ...SHORTAGE, meaning: "Less than 10 % of the memory has been available for 15 minutes." },
  },
  {
    name: "host_memory_exhausted",
    op: "gt",
    threshold: 0.97,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "{value:percent} of the memory of {target} is in use.",
    runbook: { ...SHORTAGE, meaning: "Less than 3 % of the memory has been available for 5 minutes." },
  },
];
