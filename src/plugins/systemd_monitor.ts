import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError, NothingHere } from "../model/run.ts";
import type { Rejection } from "../model/sample.ts";
import { command, runProgram } from "./client/program.ts";
import { matcher, patterns } from "./host/patterns.ts";
import { MAX_UNITS, METRICS } from "./systemd/metrics.ts";
import { countSamples, managerSamples, type Properties, parseShow, unitSamples } from "./systemd/show.ts";

/** A glob of systemctl's; nothing that it could take for an option. */
const glob = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9:_.\\@*?[\]][A-Za-z0-9:_.\\@*?[\]-]*$/, {
    error: "expected the name of a unit, or a pattern such as *.service",
  });

const config = z.strictObject({
  command: command
    .default(["systemctl"])
    .describe("systemctl, and what comes before it, such as [sudo, -n, systemctl]."),
  units: z
    .array(glob)
    .min(1)
    .max(100)
    .default(["*.service", "*.timer", "*.mount", "*.socket"])
    .describe("Units to watch, as systemctl's own patterns."),
  exclude_units: patterns
    .default([
      "(user(-runtime-dir)?|getty|serial-getty|modprobe|systemd-fsck)@.*",
      "(run|sys|proc|dev)-.*",
      "user-\\d+.*",
    ])
    .describe("Units to leave out, as anchored regular expressions; those that systemd makes by itself by default."),
  max_units: z
    .int()
    .min(1)
    .max(MAX_UNITS)
    .default(200)
    .describe("Units shown one by one at most: failed ones first, then active ones. All are counted."),
});
type Config = z.output<typeof config>;

const UNIT_PROPERTIES =
  "Id,LoadState,ActiveState,NRestarts,CPUUsageNSec,MemoryCurrent,TasksCurrent,ActiveEnterTimestamp,LastTriggerUSec,NextElapseUSecRealtime";
const MANAGER_PROPERTIES = "Version,SystemState,NFailedUnits,NJobs";

async function show({ command }: Config, args: readonly string[], signal: AbortSignal): Promise<readonly Properties[]> {
  const { code, stdout, stderr } = await runProgram(command, ["show", "--no-pager", ...args], signal);
  if (/not been booted with systemd/.test(stderr)) throw new NothingHere("this system does not run systemd");
  if (code !== 0)
    throw new CollectError(
      "unreachable",
      `systemctl ended with ${code}: ${stderr.trim().split("\n", 1)[0]?.slice(0, 200)}`,
    );
  return parseShow(stdout);
}

const RANK = ["failed", "active", "reloading", "activating", "deactivating"];
const rank = (unit: Properties): number =>
  (RANK.indexOf(unit.get("ActiveState") ?? "") + RANK.length + 1) % (RANK.length + 1);

/** Units that exist and are not left out, each once: an alias is shown under each of its names. */
function watched(units: readonly Properties[], { exclude_units }: Config): readonly Properties[] {
  const excluded = matcher(exclude_units);
  const byId = new Map(units.map((unit) => [unit.get("Id") ?? "", unit]));
  return [...byId]
    .filter(([id, unit]) => id !== "" && unit.get("LoadState") !== "not-found" && !excluded(id))
    .map(([, unit]) => unit)
    .toSorted((a, b) => rank(a) - rank(b));
}

const tooMany = (more: number, shown: number): readonly Rejection[] =>
  more > 0
    ? [{ reason: "too_many_units", detail: `only ${shown} units are shown one by one (max_units)`, count: more }]
    : [];

/** States, restarts and resources of systemd's units, and when its timers fire. */
export const systemdMonitor = definePlugin({
  id: "systemd_monitor",
  title: "systemd",
  summary: "States, restarts and resources of the units of this host's systemd, and when its timers fire.",
  category: "system",
  version: "1.0.0",
  tags: ["systemd", "services", "units", "timers"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    units: {
      summary: "Asks systemctl for the state of the system and of every watched unit.",
      every: seconds(60),
      async collect({ config }, { signal }) {
        const [manager = new Map()] = await show(config, [`--property=${MANAGER_PROPERTIES}`], signal);
        const args = [`--property=${UNIT_PROPERTIES}`, "--", ...config.units];
        const units = watched(await show(config, args, signal), config);
        const shown = units.slice(0, config.max_units);
        return {
          samples: [...managerSamples(manager), ...countSamples(units), ...shown.flatMap(unitSamples)],
          rejected: tooMany(units.length - shown.length, shown.length),
        };
      },
    },
  },
});
