import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "../model/plugin.ts";
import type { Fault } from "./fault.ts";
import { lineOf } from "./locate.ts";
import { pluginFaults } from "./plugin.ts";
import { isMeantAsPlugin, shapeFaults } from "./shape.ts";

/** A line of a file with what is wrong there. */
export interface Finding {
  readonly line: number;
  readonly message: string;
}

/** A plugin's file: the plugin, where it exports one that can be used, and everything that is wrong. */
export interface PluginFile {
  readonly plugin?: Plugin;
  readonly source: string;
  readonly findings: readonly Finding[];
}

/** `src/plugins/system_info.ts` -> `system_info`. */
export const nameOf = (path: string): string => basename(path).replace(/\.[cm]?[jt]s$/, "");

/**
 * Imports a plugin's file, which runs it, and holds what it exports to the contract.
 * @param name what the plugin's id must be
 * @param url what to import
 */
export async function loadPluginFile(
  path: string,
  name = nameOf(path),
  url = pathToFileURL(path).href,
): Promise<PluginFile> {
  let source: string;
  try {
    source = await readFile(path, "utf8");
  } catch (error) {
    return { source: "", findings: [{ line: 1, message: `cannot be read: ${messageOf(error)}` }] };
  }
  try {
    const exported = Object.values((await import(url)) as object);
    return { source, ...judge([...new Set(exported)].filter(isMeantAsPlugin), source, name) };
  } catch (error) {
    return {
      source,
      findings: [{ line: lineIn(error, path, source), message: `cannot be loaded: ${messageOf(error)}` }],
    };
  }
}

function judge(plugins: readonly Plugin[], source: string, name: string): Omit<PluginFile, "source"> {
  const [plugin, another] = plugins;
  if (!plugin) return { findings: [{ line: 1, message: "exports no plugin: export const … = definePlugin({ … })" }] };
  if (another) return { findings: [{ line: lineOf(source, [another.id]), message: "exports more than one plugin" }] };
  const misshapen = shapeFaults(plugin);
  const faults = misshapen.length > 0 ? misshapen : pluginFaults(plugin, name);
  return { ...(misshapen.length > 0 ? {} : { plugin }), findings: faults.map((fault) => place(fault, source)) };
}

const place = ({ message, at }: Fault, source: string): Finding => ({ line: lineOf(source, at), message });

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n").find((line) => line.trim() !== "") ??
  "no reason";

/** The first line of the file that the error's stack names, or where what it could not find is imported. */
function lineIn(error: unknown, path: string, source: string): number {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const places = stack.split("\n").flatMap((line) => {
    const [, file = "", at] = /([^\s()]+?):(\d+)(?::\d+)?\)?$/.exec(line.trim()) ?? [];
    return at !== undefined && basename(file) === basename(path) ? [Number(at)] : [];
  });
  const [, missing] = /Cannot find (?:module|package) '([^']+)'/.exec(stack) ?? [];
  const imported = source.split("\n").findIndex((line) => missing !== undefined && line.includes(basename(missing)));
  return places[0] ?? Math.max(0, imported) + 1;
}
