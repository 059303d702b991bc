import { kitAddress } from "../app/records.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { storeOptions } from "../config/store-options.ts";
import type { JobView } from "../http/app/overview.ts";
import { formatDuration } from "../model/duration.ts";
import { kitsOf } from "../store/inspect.ts";
import { withConfigured } from "./configured.ts";
import { CommandFailure } from "./failure.ts";
import { pluginStates } from "./plugins/settings.ts";
import { table, when } from "./table.ts";

/** Every plugin, those that gleaner.yaml names included, and whether it runs, as gleaner.yaml and the database say. */
export async function listPlugins(options: LoadOptions, print: (text: string) => void): Promise<void> {
  const { plugins, states } = await pluginStates(options);
  const rows = plugins.map((plugin) => [
    plugin.id,
    plugin.category,
    plugin.enabledByDefault ? "on" : "off",
    states.get(plugin.id) ?? "",
    Object.entries(plugin.jobs)
      .map(([name, job]) => `${name} ${formatDuration(job.every)}`)
      .join(", "),
    plugin.summary,
  ]);
  print(table(["PLUGIN", "CATEGORY", "DEFAULT", "NOW", "JOBS", "SUMMARY"], rows));
}

/** The configured kits, with what the database last knew of each. */
export async function listKits(options: LoadOptions, print: (text: string) => void): Promise<void> {
  const { kits, known } = await withConfigured(options, async ({ config, targets }) => ({
    kits: targets.filter((target) => target.plugin.health === "kit"),
    known: new Map((await kitsOf(storeOptions(config).url)).map((kit) => [kit.kitId, kit])),
  }));
  const rows = kits.map((kit) => {
    const record = known.get(kit.id) ?? [...known.values()].find((other) => other.apiUrl === kitAddress(kit));
    return [
      kit.provisional ? (record?.kitId ?? "(tells its own)") : kit.id,
      record?.status ?? "unknown",
      when(record?.lastSeen ?? null),
      kitAddress(kit),
      kit.name,
    ];
  });
  print(
    rows.length > 0
      ? table(["KIT", "STATUS", "LAST SEEN", "ADDRESS", "NAME"], rows)
      : "No kits are configured; see kits.example.yaml.",
  );
}

/** Asks the running gleaner for its jobs: next run and last outcome of each. */
export async function listJobs(options: LoadOptions, print: (text: string) => void): Promise<void> {
  const { host, port } = loadConfig(options).server.listen;
  const reachable = ["", "0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host;
  const url = `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}/api/jobs`;
  const token = options.env["GLEANER_TOKEN"];
  const response = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} }).catch(() => {
    throw new CommandFailure(`No gleaner answers at ${url}. Is it running? (npm start)`);
  });
  if (!response.ok) {
    throw new CommandFailure(`${url} answered ${response.status}; set GLEANER_TOKEN to a token with the scope read.`);
  }
  const { jobs } = (await response.json()) as { jobs: JobView[] };
  const rows = jobs.map((job) => [
    job.target,
    job.job,
    job.trigger,
    when(job.nextRun),
    when(job.lastRun),
    job.lastOutcome ?? "",
    job.reason ?? "",
  ]);
  print(table(["TARGET", "JOB", "TRIGGER", "NEXT RUN", "LAST RUN", "OUTCOME", "REASON"], rows));
}
