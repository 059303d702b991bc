import type { MetricSpec } from "../../model/sample.ts";
import { FAILING, HEAT, NVME_WARNING, PENDING, REALLOCATED, UNCORRECTABLE, WORN } from "./alerts.ts";

/** Disks of one target at most. */
export const MAX_DEVICES = 128;
const disk = { labels: ["device"], maxSeries: MAX_DEVICES } as const;
const counter = { ...disk, type: "counter" } as const;

/** Bits of NVMe's critical warning, lowest first. */
export const NVME_FLAGS = ["spare", "temperature", "reliability", "read_only", "backup", "persistent_memory"] as const;

export const METRICS = {
  smart_info: {
    help: "What the disk is.",
    unit: "info",
    labels: ["device", "model", "firmware", "protocol"],
    maxSeries: MAX_DEVICES,
  },
  smart_standby: { ...disk, help: "Whether the disk sleeps; then it is not woken, and says nothing more." },
  smart_healthy: { ...disk, help: "Whether the disk judges itself healthy.", alert: FAILING },
  smart_self_test_passed: { ...disk, help: "Whether the latest self-test found nothing." },
  smart_capacity_bytes: { ...disk, help: "Capacity of the disk.", unit: "bytes" },
  smart_temperature_celsius: { ...disk, help: "Temperature of the disk.", unit: "celsius", alert: HEAT },
  smart_power_on_seconds: { ...disk, help: "Time the disk has been switched on in its life.", unit: "seconds" },
  smart_power_cycles_total: { ...counter, help: "Times the disk was switched on." },
  smart_reallocated_sectors: { ...disk, help: "Sectors replaced by spare ones.", alert: REALLOCATED },
  smart_pending_sectors: { ...disk, help: "Sectors that could not be read and wait to be replaced.", alert: PENDING },
  smart_uncorrectable_sectors: { ...disk, help: "Sectors found unreadable by tests.", alert: UNCORRECTABLE },
  smart_reported_uncorrectable_total: { ...counter, help: "Errors that could not be corrected, as told to the host." },
  smart_crc_errors_total: { ...counter, help: "Errors between disk and controller: a bad cable, most times." },
  smart_logged_errors_total: { ...counter, help: "Errors in the disk's own log, over its life." },
  smart_grown_defects: { ...disk, help: "Defects that a SCSI disk has gathered in its life." },
  smart_scsi_uncorrected_errors_total: {
    help: "Errors that a SCSI disk could not correct, by what it was doing.",
    type: "counter",
    labels: ["device", "operation"],
    maxSeries: MAX_DEVICES * 3,
  },
  nvme_percentage_used_ratio: {
    ...disk,
    help: "Share of its rated life that is used; may pass 1.",
    unit: "ratio",
    alert: WORN,
  },
  nvme_available_spare_ratio: { ...disk, help: "Share of the spare blocks that is left.", unit: "ratio" },
  nvme_critical_warning: {
    help: "Whether the drive warns, by what of.",
    labels: ["device", "flag"],
    maxSeries: MAX_DEVICES * NVME_FLAGS.length,
    alert: NVME_WARNING,
  },
  nvme_media_errors_total: { ...counter, help: "Times that data could not be read back whole." },
  nvme_unsafe_shutdowns_total: { ...counter, help: "Times that power went without notice." },
  nvme_read_bytes_total: { ...counter, help: "Bytes the host has read, to 512,000.", unit: "bytes" },
  nvme_written_bytes_total: { ...counter, help: "Bytes the host has written, to 512,000.", unit: "bytes" },
} as const satisfies Record<string, MetricSpec>;

export type Metric = keyof typeof METRICS;
