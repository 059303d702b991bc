import type { Sample } from "../../model/sample.ts";
import { fieldAt, numberOf, sample, samplesOf } from "../client/mapping.ts";
import { type Metric, NVME_FLAGS } from "./metrics.ts";

type Samples = readonly Sample<Metric>[];
type Labels = Readonly<{ device: string }>;

const FIELDS = [
  { from: "temperature.current", to: "smart_temperature_celsius" },
  { from: "power_on_time.hours", to: "smart_power_on_seconds", scale: 3_600 },
  { from: "power_cycle_count", to: "smart_power_cycles_total" },
  { from: "user_capacity.bytes", to: "smart_capacity_bytes" },
  { from: "scsi_grown_defect_list", to: "smart_grown_defects" },
] as const;

/** Attributes of ATA disks that mean the same with every maker. */
const ATTRIBUTES: ReadonlyMap<number, Metric> = new Map([
  [5, "smart_reallocated_sectors"],
  [187, "smart_reported_uncorrectable_total"],
  [197, "smart_pending_sectors"],
  [198, "smart_uncorrectable_sectors"],
  [199, "smart_crc_errors_total"],
]);

const NVME = [
  { from: "percentage_used", to: "nvme_percentage_used_ratio", scale: 0.01 },
  { from: "available_spare", to: "nvme_available_spare_ratio", scale: 0.01 },
  { from: "media_errors", to: "nvme_media_errors_total" },
  { from: "num_err_log_entries", to: "smart_logged_errors_total" },
  { from: "unsafe_shutdowns", to: "nvme_unsafe_shutdowns_total" },
  { from: "data_units_read", to: "nvme_read_bytes_total", scale: 512_000 },
  { from: "data_units_written", to: "nvme_written_bytes_total", scale: 512_000 },
] as const;

/** What smartctl has to complain about: why it could not read a disk. */
export function complaints(report: unknown): string {
  const messages = fieldAt(report, "smartctl.messages");
  if (!Array.isArray(messages)) return "";
  const texts = messages.map((message) => fieldAt(message, "string")).filter((text) => typeof text === "string");
  return texts.join("; ").slice(0, 200);
}

/** Whether a disk was left asleep. */
export const isAsleep = (report: unknown): boolean => /in (STANDBY|SLEEP|STOPPED)/i.test(complaints(report));

/** What a disk reports; nothing when the report holds nothing of it. */
export function reportSamples(report: unknown, labels: Labels): Samples {
  const passed = fieldAt(report, "smart_status.passed");
  const samples: Samples = [
    ...(typeof passed === "boolean" ? [sample("smart_healthy" as const, Number(passed), labels)] : []),
    ...samplesOf<Metric>(report, FIELDS, labels),
    ...attributes(report, labels),
    ...logged(report, labels),
    ...selfTest(report, labels),
    ...nvme(fieldAt(report, "nvme_smart_health_information_log"), labels),
    ...scsi(report, labels),
  ];
  return samples.length === 0 ? [] : [...info(report, labels), ...samples];
}

function info(report: unknown, labels: Labels): Samples {
  const text = (...paths: string[]) => {
    const told = paths.map((path) => fieldAt(report, path)).find((value) => typeof value === "string");
    return typeof told === "string" ? told.trim().slice(0, 64) : "";
  };
  const model = text("model_name", "scsi_model_name", "scsi_product");
  const protocol = text("device.protocol").toLowerCase();
  return [sample("smart_info", 1, { ...labels, model, firmware: text("firmware_version", "scsi_revision"), protocol })];
}

function attributes(report: unknown, labels: Labels): Samples {
  const table = fieldAt(report, "ata_smart_attributes.table");
  if (!Array.isArray(table)) return [];
  return [...ATTRIBUTES].flatMap(([id, metric]): Samples => {
    const entry = table.find((entry) => fieldAt(entry, "id") === id);
    const raw = numberOf(fieldAt(entry, "raw.value"));
    // Of its six bytes some makers use the upper two for other things.
    return raw === undefined ? [] : [sample(metric, raw % 2 ** 32, labels)];
  });
}

/** Older disks have the short log alone; where there are both they count the same errors. */
function logged(report: unknown, labels: Labels): Samples {
  const counts = ["extended", "summary"].map((log) => numberOf(fieldAt(report, `ata_smart_error_log.${log}.count`)));
  const count = counts.find((one) => one !== undefined);
  return count === undefined ? [] : [sample("smart_logged_errors_total", count, labels)];
}

function selfTest(report: unknown, labels: Labels): Samples {
  const logs = ["extended", "standard"].map((log) => fieldAt(report, `ata_smart_self_test_log.${log}.table`));
  const [latest]: readonly unknown[] = logs.find((log) => Array.isArray(log)) ?? [];
  const passed = fieldAt(latest, "status.passed");
  return typeof passed === "boolean" ? [sample("smart_self_test_passed", Number(passed), labels)] : [];
}

function nvme(log: unknown, labels: Labels): Samples {
  const warning = numberOf(fieldAt(log, "critical_warning"));
  const flags = NVME_FLAGS.map((flag, bit) =>
    sample("nvme_critical_warning" as const, ((warning ?? 0) >> bit) & 1, { ...labels, flag }),
  );
  return [...samplesOf<Metric>(log, NVME, labels), ...(warning === undefined ? [] : flags)];
}

function scsi(report: unknown, labels: Labels): Samples {
  return ["read", "write", "verify"].flatMap((operation): Samples => {
    const errors = numberOf(fieldAt(report, `scsi_error_counter_log.${operation}.total_uncorrected_errors`));
    return errors === undefined
      ? []
      : [sample("smart_scsi_uncorrected_errors_total", errors, { ...labels, operation })];
  });
}
