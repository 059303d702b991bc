import { existsSync } from "node:fs";
import { glob, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { parse } from "yaml";
import type { Context, Plugin } from "../../src/model/plugin.ts";
import { CollectError, NothingHere } from "../../src/model/run.ts";
import type { Collected, Rejection, Row, Sample } from "../../src/model/sample.ts";

const PLUGINS = resolve(import.meta.dirname, "../plugins");

/** A case folder: `test/plugins/<plugin>/cases/<name>/`. */
export interface Case {
  readonly plugin: string;
  readonly name: string;
  readonly folder: string;
}

/** Every case folder there is; the one thing all have is a config.yaml. */
export async function findCases(): Promise<readonly Case[]> {
  const folders: string[] = [];
  for await (const file of glob("*/cases/*/config.yaml", { cwd: PLUGINS })) folders.push(dirname(file));
  return folders.sort().map((path) => ({
    plugin: path.split(sep)[0] ?? "",
    name: basename(path),
    folder: join(PLUGINS, path),
  }));
}

const placeholder = (name: "BASE_URL" | "CASE_DIR"): string => `\${${name}}`;

/** The case's configuration with its two placeholders filled in; the plugin's schema has not seen it yet. */
export async function configOf({ folder }: Case, baseUrl: string): Promise<unknown> {
  const text = await readFile(join(folder, "config.yaml"), "utf8");
  return parse(text.replaceAll(placeholder("BASE_URL"), baseUrl).replaceAll(placeholder("CASE_DIR"), folder)) ?? {};
}

/** What the jobs of a plugin brought back from a case, as the texts that its expectation files hold. */
export type Results = Readonly<Record<"expected.prom" | "expected.rows.json" | "expected.error", string | undefined>>;

const escapeLabel = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function sampleLine(name: string, { value, labels = {}, at }: Sample): string {
  const set = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
  return `${name}${set.length > 0 ? `{${set.join(",")}}` : ""} ${value}${at ? ` ${at.getTime()}` : ""}`;
}

/** Samples in the plugin's order of declaration, so that a change of reading order is no change of expectation. */
function exposition(specs: Plugin["metrics"], samples: readonly Sample[], rejected: readonly Rejection[]): string {
  const metrics = Object.entries(specs).flatMap(([metric, { type = "gauge", ownName }]) => {
    const name = ownName ? metric : `gleaner_${metric}`;
    const lines = samples.filter((sample) => sample.metric === metric).map((sample) => sampleLine(name, sample));
    return lines.length > 0 ? [`# TYPE ${name} ${type}`, ...lines] : [];
  });
  const left = rejected.map(({ reason, detail, count = 1 }) => `# rejected ${count} ${reason}: ${detail}`);
  return [...metrics, ...left].map((line) => `${line}\n`).join("");
}

function errorLine(job: string, error: unknown): string {
  if (error instanceof NothingHere) return `${job}: empty: ${error.message}`;
  if (error instanceof CollectError) return `${job}: ${error.kind}: ${error.message}`;
  return `${job}: bug: ${error instanceof Error ? error.message : String(error)}`;
}

const rowsText = (rows: readonly Row[]): string | undefined =>
  rows.length > 0 ? `${JSON.stringify(rows, undefined, 2)}\n` : undefined;

/** Runs every job of a plugin once, in order of declaration; a job that fails leaves a line and stops none. */
export async function collectAll(
  plugin: Plugin,
  config: unknown,
  context: Context,
): Promise<{ readonly collected: readonly Collected[]; readonly results: Results }> {
  const collected: Collected[] = [];
  const errors: string[] = [];
  for (const [job, { collect }] of Object.entries(plugin.jobs)) {
    try {
      collected.push(await collect({ id: "case", config, tags: {} }, context));
    } catch (error) {
      errors.push(errorLine(job, error));
    }
  }
  const samples = collected.flatMap((part) => part.samples);
  const specs = Object.assign({}, plugin.metrics, ...collected.map(({ metrics }) => metrics));
  const rejected = collected.flatMap((part) => part.rejected ?? []);
  const results = {
    "expected.prom": exposition(specs, samples, rejected) || undefined,
    "expected.rows.json": rowsText(collected.flatMap((part) => part.rows ?? [])),
    "expected.error": errors.length > 0 ? `${errors.join("\n")}\n` : undefined,
  };
  return { collected, results };
}

/** Results with the run's own address and folder taken out again, so that they are the same on every machine. */
export function neutral(results: Results, { folder }: Case, baseUrl: string): Results {
  const neutralText = (text: string | undefined) =>
    text?.replaceAll(baseUrl, placeholder("BASE_URL")).replaceAll(folder, placeholder("CASE_DIR"));
  return {
    "expected.prom": neutralText(results["expected.prom"]),
    "expected.rows.json": neutralText(results["expected.rows.json"]),
    "expected.error": neutralText(results["expected.error"]),
  };
}

/** The expectation files of a case; one that does not exist expects that there is nothing of its kind. */
export async function expectationOf({ folder }: Case): Promise<Results> {
  const read = (file: string) => readFile(join(folder, file), "utf8").catch(() => undefined);
  return {
    "expected.prom": await read("expected.prom"),
    "expected.rows.json": await read("expected.rows.json"),
    "expected.error": await read("expected.error"),
  };
}

/** Makes the results the new expectation (`UPDATE_CASES=1`). */
export async function rewriteExpectation({ folder }: Case, results: Results): Promise<void> {
  for (const [file, text] of Object.entries(results)) {
    const path = join(folder, file);
    if (text !== undefined) await writeFile(path, text);
    else if (existsSync(path)) await rm(path);
  }
}
