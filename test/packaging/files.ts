import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

/** The project's root. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** A file of the project as text. */
export const text = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** A YAML file of the project, anchors and merge keys resolved. */
export const yaml = (file: string): unknown => parse(text(file), { merge: true });
