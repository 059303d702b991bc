import type { AlertSpec } from "../../model/alert.ts";

const REPLACE = {
  impact: "Disks that begin so often fail within weeks or months, and take what is on them with them.",
  check: [
    "`smartctl -x /dev/<device>`: attributes, error log, self-tests.",
    "Are the backups of what is on it up to date?",
  ],
  fix: ["Save what is on it, and replace it. In a RAID: replace it before a second one begins."],
};

/** Disks that say themselves that they fail. */
export const FAILING: readonly AlertSpec[] = [
  {
    name: "smart_failing",
    op: "lt",
    threshold: 1,
    for: "0s",
    severity: "critical",
    summary: "{device} of {target} says that it is failing.",
    runbook: {
      ...REPLACE,
      meaning: "An attribute is past the limit that the maker set, or the drive warns of its own end.",
    },
  },
];

const sectors = (name: string, what: string, meaning: string): readonly AlertSpec[] => [
  {
    name,
    op: "gt",
    threshold: 0,
    for: "5m",
    severity: "warning",
    summary: `{device} of {target} has {value} ${what}.`,
    runbook: { ...REPLACE, meaning },
  },
];

export const REALLOCATED = sectors(
  "smart_sectors_reallocated",
  "reallocated sectors",
  "The disk has replaced sectors that it could no longer write. A few that stay as they are can be lived with; a number that grows cannot.",
);
export const PENDING = sectors(
  "smart_sectors_pending",
  "sectors it cannot read",
  "The disk could not read some sectors; they are replaced when they are written the next time.",
);
export const UNCORRECTABLE = sectors(
  "smart_sectors_uncorrectable",
  "uncorrectable sectors",
  "The disk's own tests found sectors that cannot be read.",
);

const COOLING = {
  impact: "Heat shortens a disk's life; an NVMe drive slows itself down, and at its limit switches itself off.",
  check: ["`gleaner_smart_temperature_celsius` over the day; fans, dust, and what is beside the disk."],
  fix: ["Give it air, or a heat sink.", "A drive made for more: raise the threshold in a rule of your own."],
};

/** Hot disks. The limits are those at which NVMe drives begin to care; hard disks are better kept below 50 °C. */
export const HEAT: readonly AlertSpec[] = [
  {
    name: "smart_hot",
    op: "gt",
    threshold: 60,
    for: "15m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{device} of {target} is at {value} °C.",
    runbook: { ...COOLING, meaning: "A disk has been above 60 °C for 15 minutes." },
  },
  {
    name: "smart_too_hot",
    op: "gt",
    threshold: 70,
    for: "5m",
    keepFiringFor: "5m",
    severity: "critical",
    summary: "{device} of {target} is at {value} °C.",
    runbook: { ...COOLING, meaning: "A disk has been above 70 °C for 5 minutes." },
  },
];

/** NVMe drives that are worn out. */
export const WORN: readonly AlertSpec[] = [
  {
    name: "nvme_worn",
    op: "gt",
    threshold: 0.9,
    for: "1h",
    severity: "warning",
    summary: "{device} of {target} has used {value:percent} of its rated life.",
    runbook: { ...REPLACE, meaning: "The drive has been written nearly as often as its maker vouches for." },
  },
];

/** NVMe drives that warn. */
export const NVME_WARNING: readonly AlertSpec[] = [
  {
    name: "nvme_warning",
    op: "gt",
    threshold: 0,
    for: "5m",
    severity: "critical",
    summary: "{device} of {target} warns: {flag}.",
    runbook: {
      ...REPLACE,
      meaning:
        "The drive's critical warning is set: spare blocks run out, it is too hot, unreliable, read-only by now, or its backup power failed.",
    },
  },
];
