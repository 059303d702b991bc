import { settingsSchema } from "../config/schema.ts";
import { formatDuration } from "../model/duration.ts";
import type { Plugin } from "../model/plugin.ts";
import { type Field, fieldOf, typeName } from "./fields.ts";
import { sentence } from "./markdown.ts";

const INTRODUCTION = `## gleaner.yaml: every setting with its default. Copy this file to gleaner.yaml and change what you need.
## Lines with ## explain. To change a setting remove the "# " before it and before the lines above that it belongs to.
## docs/configuration.md has types and bounds, docs/plugins.md what each plugin collects.`;

/** gleaner.example.yaml: loads as it is, and also with every single "# " removed. */
export function exampleConfig(plugins: readonly Plugin[]): string {
  const { properties = {} } = fieldOf(settingsSchema);
  const sections = Object.entries(properties).map(([key, field]) =>
    key === "targets" ? targetLines(field, plugins) : fieldLines(key, field, ""),
  );
  return `${INTRODUCTION}\n\n${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const prose = (indent: string, text: string): string => `## ${indent}${text}`;
const setting = (indent: string, text: string): string => `# ${indent}${text}`;

/** A field with its description above it; the fields of a map follow, indented. */
function fieldLines(key: string, field: Field, indent: string): string[] {
  const unset = field.unset === undefined ? "" : ` Unset: ${field.unset}.`;
  const description = prose(indent, `${field.description ?? typeName(field)}${unset}`);
  if (field.alternative !== undefined) return [description, prose(indent, `${key}: ${yaml(field.alternative)}`)];
  const inner = field.properties ?? field.items?.properties;
  if (inner === undefined) return [description, leaf(key, field, indent)];
  const lines = Object.entries(inner).flatMap(([name, part]) => fieldLines(name, part, `${indent}  `));
  return [description, setting(indent, `${key}:`), ...(field.items ? asListItem(lines, indent) : lines)];
}

/** A value that the schema takes; a field that has neither default nor example can only be explained. */
function leaf(key: string, field: Field, indent: string): string {
  const value = field.example ?? field.default;
  if (value === undefined) return prose(indent, `${key}: (${typeName(field)})`);
  // The configuration would take these for variables.
  const text = yaml(value).replaceAll(/\$(?=[${])/g, "$$$$");
  return setting(indent, `${key}: ${text}`);
}

/** Makes the lines of a map the first item of a list: one level deeper, the first setting behind a dash. */
function asListItem(lines: readonly string[], indent: string): string[] {
  const deeper = lines.map((line) => line.replace(/^(##?) /, "$1   "));
  const first = deeper.findIndex((line) => line.startsWith("# "));
  return deeper.map((line, index) => (index === first ? line.replace(`# ${indent}    `, `# ${indent}  - `) : line));
}

function targetLines(field: Field, plugins: readonly Plugin[]): string[] {
  const each = typeof field.additionalProperties === "object" ? field.additionalProperties : {};
  // Kits are configured in kits.yaml.
  const shown = plugins.filter(({ health }) => health !== "kit");
  const first = shown.find(({ enabledByDefault }) => enabledByDefault) ?? shown[0];
  return [
    prose("", field.description ?? ""),
    setting("", "targets:"),
    ...(first ? fullTarget(first, each) : []),
    ...shown.filter((plugin) => plugin !== first).flatMap(shortTarget),
  ];
}

/** The first plugin that runs by default shows every key that a target can have. */
function fullTarget(plugin: Plugin, target: Field): string[] {
  const indent = "    ";
  const examples: Readonly<Record<string, string>> = { plugin: plugin.id, name: plugin.title };
  const lines = Object.entries(target.properties ?? {}).flatMap(([key, field]) => {
    if (key === "config") return configLines(plugin, indent);
    if (key === "jobs") return jobLines(plugin, field, indent);
    return fieldLines(key, { ...field, example: examples[key] ?? field.example }, indent);
  });
  return [prose("  ", sentence(plugin.summary)), setting("  ", `${plugin.id}:`), ...lines];
}

function shortTarget(plugin: Plugin): string[] {
  return [
    prose("  ", sentence(plugin.summary)),
    setting("  ", `${plugin.id}:`),
    setting("    ", `enabled: ${plugin.enabledByDefault}`),
    ...configLines(plugin, "    "),
  ];
}

function configLines(plugin: Plugin, indent: string): string[] {
  const fields = Object.entries(fieldOf(plugin.config).properties ?? {});
  if (fields.length === 0) return [];
  return [
    prose(indent, `Settings of ${plugin.id}.`),
    setting(indent, "config:"),
    ...fields.flatMap(([key, field]) => fieldLines(key, field, `${indent}  `)),
  ];
}

function jobLines(plugin: Plugin, jobs: Field, indent: string): string[] {
  const each = typeof jobs.additionalProperties === "object" ? (jobs.additionalProperties.properties ?? {}) : {};
  const [name, job] = Object.entries(plugin.jobs)[0] ?? [];
  if (name === undefined || job === undefined) return [];
  const fields = Object.entries(each).flatMap(([key, field]) =>
    fieldLines(key, key === "interval" ? { ...field, example: formatDuration(job.every) } : field, `${indent}    `),
  );
  return [
    prose(indent, jobs.description ?? ""),
    setting(indent, "jobs:"),
    setting(`${indent}  `, `${name}:`),
    ...fields,
  ];
}

/** A value as YAML on one line: plain where YAML takes it for the same text, else JSON, which is YAML. */
function yaml(value: unknown): string {
  const isPlain =
    typeof value === "string" && /^[A-Za-z./][\w./-]*$|^\d+[a-z]+$/.test(value) && !/^(true|false|null)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
