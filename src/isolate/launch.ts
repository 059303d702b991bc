import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ExternalPlugin, Permission } from "../model/external.ts";
import type { Place } from "./locate.ts";

const SOURCES = dirname(import.meta.dirname);
const CHILD = join(import.meta.dirname, "child/main.ts");
/** What the child's own code is made of; all of it is public. */
const OWN_CODE = ["collect", "config", "contract", "isolate", "model", "process", "plugin.ts"].map((name) =>
  join(SOURCES, name),
);

/** Open files and sockets; a leak of them ends there. */
const MAX_FILES = 256;
/**
 * Memory that Node maps for writing before a plugin does anything (bytes; 655 MiB measured on Node 24), most of which is
 * never touched: stacks of threads, reserves of the heap. RLIMIT_DATA counts it.
 */
const MAPPED = 768 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Programs of util-linux that bound a process from outside, where they are there and work. */
export interface Tools {
  /** Kills the process when gleaner is gone, however it went. */
  readonly setpriv: boolean;
  readonly prlimit: boolean;
  /** How a process is started without a network; undefined where nothing can. */
  readonly unshare: readonly string[] | undefined;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const works = (file: string, ...args: string[]): Promise<boolean> =>
  promisify(execFile)(file, [...args, "true"], { env: {}, timeout: 5_000 }).then(
    () => true,
    () => false,
  );

const WITHOUT_NETWORK = [["--net"], ["--user", "--map-current-user", "--net"]] as const;

/** Tries what there is: containers and other systems lack some of it. */
export async function findTools(): Promise<Tools> {
  const [setpriv, prlimit, ...unshared] = await Promise.all([
    works("setpriv", "--pdeathsig", "KILL"),
    works("prlimit", "--core=0"),
    ...WITHOUT_NETWORK.map((args) => works("unshare", ...args)),
  ]);
  return { setpriv, prlimit, unshare: WITHOUT_NETWORK.find((_, index) => unshared[index]) };
}

/** Where gleaner's packages are, and where that folder is when it is a link. */
function packageFolders(): string[] {
  const paths = createRequire(import.meta.url).resolve.paths("zod") ?? [];
  const folder = paths.find((path) => existsSync(join(path, "zod"))) ?? join(SOURCES, "../node_modules");
  return [...new Set([folder, realpathSync(folder), dirname(realpathSync(join(folder, "zod")))])];
}

const FLAGS: Readonly<Record<Permission, readonly string[]>> = {
  network: [],
  child_processes: ["--allow-child-process"],
  workers: ["--allow-worker"],
};

/** Node with its permission model on: it reads what it has to import, and writes nothing. */
function nodeArgs({ memory, read, allow }: ExternalPlugin, place: Place): string[] {
  const readable = [...OWN_CODE, ...packageFolders(), ...place.own, ...place.dependencies, ...read];
  return [
    "--permission",
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...allow.flatMap((permission) => FLAGS[permission]),
    `--max-old-space-size=${Math.floor(memory / MIB)}`,
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=SecurityWarning",
    "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
    CHILD,
  ];
}

/** The command line of a plugin's process. Each program replaces itself by the next: they all are one process. */
export function commandOf(plugin: ExternalPlugin, place: Place, tools: Tools): Command {
  const chain = [
    ...(plugin.allow.includes("network") ? [] : ["unshare", ...(tools.unshare ?? []), "--"]),
    ...(tools.setpriv ? ["setpriv", "--pdeathsig", "KILL", "--"] : []),
    ...(tools.prlimit
      ? ["prlimit", `--data=${plugin.memory + MAPPED}`, `--nofile=${MAX_FILES}`, "--core=0", "--"]
      : []),
    process.execPath,
    ...nodeArgs(plugin, place),
  ];
  return { file: chain[0] as string, args: chain.slice(1) };
}

/** The variables that its owner lets it have, and no others. */
export function environmentOf(
  { env: names }: ExternalPlugin,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
