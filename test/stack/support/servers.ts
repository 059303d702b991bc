import { globSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { ROOT, text, yaml } from "../../packaging/files.ts";
import type { TemporaryFolder } from "../../support/folder.ts";
import { startProgram } from "../../support/program.ts";
import { compressed, FACTOR, type RuleFile } from "./compress.ts";

/** How often Prometheus scrapes and evaluates here. */
export const SCRAPE_MS = 1_000;
const EVERY = "1s";

/** A server of a test's own. */
export interface Server extends AsyncDisposable {
  readonly url: string;
}

/** The shipped rule files, by path. */
export const RULE_FILES: readonly string[] = globSync("provisioning/prometheus/*.rules.yml", { cwd: ROOT }).sort();

/** Starts a server that logs where it listens. */
async function start(command: string, args: readonly string[], folder: TemporaryFolder): Promise<Server> {
  const program = startProgram(command, args, { cwd: folder.path, env: { PATH: process.env["PATH"] ?? "" } });
  try {
    const [, bound] = await program.printed(/Listening on"? address=(127\.0\.0\.1:\d+)/);
    return { url: `http://${bound}`, [Symbol.asyncDispose]: () => program.stop() };
  } catch (error) {
    await program.stop();
    throw error;
  }
}

type Config = Record<string, unknown> & {
  global: Record<string, unknown>;
  scrape_configs: Record<string, unknown>[];
};

/** JSON is YAML. */
const asYaml = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

/** Starts Prometheus on the shipped prometheus.yml; only addresses and durations differ. */
export async function startPrometheus(
  folder: TemporaryFolder,
  { gleaner, alertmanager }: { readonly gleaner: string; readonly alertmanager: string },
): Promise<Server> {
  const shipped = text("prometheus.yml")
    .replaceAll("127.0.0.1:9470", gleaner)
    .replaceAll("127.0.0.1:9093", alertmanager);
  if (!shipped.includes(gleaner) || !shipped.includes(alertmanager))
    throw new Error("prometheus.yml names gleaner at 127.0.0.1:9470 and Alertmanager at 127.0.0.1:9093 no longer");
  const config = parse(shipped, { merge: true }) as Config;
  const rules = RULE_FILES.map((file) => folder.write(basename(file), asYaml(compressed(yaml(file) as RuleFile))));
  const changed = {
    ...config,
    global: { ...config.global, scrape_interval: EVERY, evaluation_interval: EVERY, scrape_timeout: EVERY },
    scrape_configs: config.scrape_configs.map((job) => ({ ...job, scrape_interval: EVERY, scrape_timeout: EVERY })),
    rule_files: rules,
  };
  return await start(
    "prometheus",
    [
      `--config.file=${folder.write("prometheus.yml", asYaml(changed))}`,
      `--storage.tsdb.path=${folder.at("prometheus")}`,
      "--web.listen-address=127.0.0.1:0",
      // An alert that came back after a restart would wait ten minutes for its `for`.
      "--rules.alert.for-grace-period=1s",
      "--rules.alert.resend-delay=1s",
    ],
    folder,
  );
}

/** Starts Alertmanager on the shipped configuration; only the webhook's address, the token's place and durations differ. */
export async function startAlertmanager(
  folder: TemporaryFolder,
  { gleaner, token }: { readonly gleaner: string; readonly token: string },
): Promise<Server> {
  const shipped = text(ALERTMANAGER);
  const url = /http:\/\/[^\s/]+(?=\/api\/alerts\/webhook)/;
  const file = /credentials_file: *(\S+)/;
  if (!url.test(shipped) || !file.test(shipped)) throw new Error(`${ALERTMANAGER} has no webhook with a token`);
  const config = shipped
    .replace(url, gleaner)
    .replace(file, `credentials_file: ${folder.write("webhook-token", token)}`)
    .replaceAll(/(group_wait|group_interval|resolve_timeout): *(\d+)(s|m)\b/g, (_, key, n, unit) => {
      return `${key}: ${Math.max(1_000, (Number(n) * (unit === "m" ? 60_000 : 1_000)) / FACTOR)}ms`;
    });
  return await start(
    "prometheus-alertmanager",
    [
      `--config.file=${folder.write("alertmanager.yml", config)}`,
      `--storage.path=${folder.at("alertmanager")}`,
      "--web.listen-address=127.0.0.1:0",
      // One alone: no gossip, and no port for it.
      "--cluster.listen-address=",
    ],
    folder,
  );
}

/** The shipped configuration of Alertmanager. */
export const ALERTMANAGER = "provisioning/alertmanager/alertmanager.yml";
