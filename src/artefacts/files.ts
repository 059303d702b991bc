import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { readText } from "../config/files.ts";
import { kindOf } from "./check.ts";
import type { ArtefactFile } from "./document.ts";

/** The largest dashboard has some hundred kilobytes. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Where artefacts are, from the folder that holds them all. */
const PLACES = ["dashboards", "provisioning", "docs"];

/**
 * Reads the dashboards, provisioning files, rules and the runbook of a folder, in the order of their names.
 * @throws {UnreadableFile} when one of them cannot be read
 */
export function readArtefacts(folder: string): ArtefactFile[] {
  return PLACES.flatMap((place) => filesIn(join(folder, place)))
    .map((path) => ({ full: path, path: relative(folder, path).split(sep).join("/") }))
    .filter(({ path }) => kindOf(path) !== undefined)
    .map(({ full, path }) => ({ path, text: readText(full, MAX_BYTES) }));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
