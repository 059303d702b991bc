import { readFileSync } from "node:fs";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** The landing page's style and script: inlined in it, and named by their hashes in the content security policy. */
export const STYLE = read("style.css");
export const REFRESH_SCRIPT = read("refresh.js");
