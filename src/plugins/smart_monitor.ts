import { z } from "zod";
import { minutes, seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError, NothingHere } from "../model/run.ts";
import type { Rejection, Sample } from "../model/sample.ts";
import { parseJson } from "./client/json.ts";
import { fieldAt, sample } from "./client/mapping.ts";
import { command, runProgram } from "./client/program.ts";
import { matcher, patterns } from "./host/patterns.ts";
import { MAX_DEVICES, METRICS, type Metric } from "./smart/metrics.ts";
import { complaints, isAsleep, reportSamples } from "./smart/parse.ts";

const deviceName = z
  .string()
  .max(256)
  .regex(/^\/dev\/[A-Za-z0-9/_.:-]+$/, { error: "expected a device such as /dev/sda" });
const deviceType = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9,+/_-]*$/i, { error: "expected a type of smartctl's, such as sat or megaraid,0" });

const config = z.strictObject({
  command: command
    .default(["smartctl"])
    .describe("smartctl 7 or later, and what comes before it: [sudo, -n, smartctl] where gleaner is not root."),
  devices: z
    .array(
      z.strictObject({
        name: deviceName.describe("The disk."),
        type: deviceType.default("auto").describe("How it is spoken to: smartctl's option -d."),
      }),
    )
    .max(MAX_DEVICES)
    .default([])
    .describe("Disks to ask; those that `smartctl --scan` finds where it is empty."),
  exclude_devices: patterns.default([]).describe("Disks to leave out, as anchored regular expressions: /dev/sd[c-f]."),
  wake: z.boolean().default(false).describe("Ask disks that sleep, too, which wakes them."),
});
type Config = z.output<typeof config>;
type Device = Config["devices"][number];

/** Disks asked at the same time. */
const AT_ONCE = 4;
/** Bits of smartctl's exit status: it did not understand us, and it could not open the disk. */
const FAILED = 0b11;

async function smartctl({ command }: Config, args: readonly string[], signal: AbortSignal): Promise<unknown> {
  const { code, stdout, stderr } = await runProgram(command, ["--json", ...args], signal);
  if (stdout.trim() === "")
    throw new CollectError(
      "unreachable",
      `smartctl ended with ${code}: ${stderr.trim().split("\n", 1)[0]?.slice(0, 200)}`,
    );
  if (/unrecognized option/i.test(stdout.slice(0, 2000)) && !stdout.startsWith("{"))
    throw new CollectError("bad_data", "this smartctl writes no JSON; version 7.0 or later is needed");
  return parseJson(stdout, "smartctl");
}

async function devicesOf(config: Config, signal: AbortSignal): Promise<readonly Device[]> {
  const excluded = matcher(config.exclude_devices);
  if (config.devices.length > 0) return config.devices.filter(({ name }) => !excluded(name));
  const scan = await smartctl(config, ["--scan"], signal);
  const listed = fieldAt(scan, "devices");
  const found = (Array.isArray(listed) ? listed : []).flatMap((entry): Device[] => {
    const [name, type] = [deviceName.safeParse(fieldAt(entry, "name")), deviceType.safeParse(fieldAt(entry, "type"))];
    return name.success && type.success ? [{ name: name.data, type: type.data }] : [];
  });
  return found.filter(({ name }) => !excluded(name)).slice(0, MAX_DEVICES);
}

interface Reading {
  readonly samples: readonly Sample<Metric>[];
  readonly rejected: readonly Rejection[];
}

/** Several disks behind one controller share its name: then the type tells them apart. */
const labelOf = ({ name, type }: Device): string => {
  const short = name.replace(/^\/dev\//, "");
  return type.includes(",") ? `${short} ${type}` : short;
};

async function readDevice(config: Config, device: Device, signal: AbortSignal): Promise<Reading> {
  const labels = { device: labelOf(device) };
  const asleep = config.wake ? [] : ["--nocheck=standby"];
  const report = await smartctl(config, [...asleep, "--all", `--device=${device.type}`, device.name], signal);
  if (isAsleep(report)) return { samples: [sample("smart_standby", 1, labels)], rejected: [] };
  const samples = reportSamples(report, labels);
  const status = Number(fieldAt(report, "smartctl.exit_status") ?? 0);
  if (samples.length === 0 || (status & FAILED) !== 0)
    return {
      samples: [],
      rejected: [{ reason: "device_unreadable", detail: `${device.name}: ${complaints(report) || "no SMART data"}` }],
    };
  return { samples: [sample("smart_standby", 0, labels), ...samples], rejected: [] };
}

/** Health, temperature, wear and errors of disks, as smartctl reads them. */
export const smartMonitor = definePlugin({
  id: "smart_monitor",
  title: "SMART",
  summary: "Health, temperature, wear and errors of this host's disks, as smartctl reads them.",
  category: "storage",
  version: "1.0.0",
  tags: ["smart", "disk", "nvme", "health"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    disks: {
      summary: "Asks every disk that does not sleep.",
      every: minutes(10),
      timeout: seconds(60),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        const devices = await devicesOf(config, signal);
        if (devices.length === 0) throw new NothingHere("smartctl finds no disks here");
        const readings: Reading[] = [];
        const queue = [...devices.entries()];
        const work = async () => {
          for (let next = queue.shift(); next; next = queue.shift())
            readings[next[0]] = await readDevice(config, next[1], signal);
        };
        await Promise.all(Array.from({ length: AT_ONCE }, work));
        const rejected = readings.flatMap((reading) => reading.rejected);
        if (rejected.length === devices.length)
          throw new CollectError("unreachable", `no disk could be read; ${rejected[0]?.detail}`);
        return { samples: readings.flatMap((reading) => reading.samples), rejected };
      },
    },
  },
});
