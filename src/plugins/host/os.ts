import { machine } from "node:os";
import { readProc } from "./proc.ts";
import { one } from "./sample.ts";

/** os-release is shell syntax; distributions use plain, "double" and 'single' quoted values. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/gm);
  return new Map([...lines].map((m) => [m[1] ?? "", m[2] ?? m[3] ?? m[4] ?? ""]));
}

/** What runs below `root`; nothing where no kernel tells its release there. */
export function readOs(root: string) {
  const kernel = readProc(root, "proc/sys/kernel/osrelease").trim();
  if (!kernel) return [];
  const fields = parseOsRelease(readProc(root, "etc/os-release") || readProc(root, "usr/lib/os-release"));
  return one("os_info", 1, {
    name: fields.get("ID") ?? "linux",
    version: fields.get("VERSION_ID") ?? "",
    kernel,
    // The file exists since Linux 6.1; below another root may lie another machine's tree.
    architecture: readProc(root, "proc/sys/kernel/arch").trim() || (root === "/" ? machine() : ""),
  });
}
