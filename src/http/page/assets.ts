import { readFileSync } from "node:fs";

/** The landing page's style and script: inlined in it, and named by their hashes in the content security policy. */
export const STYLE = readFileSync(new URL("style.css", import.meta.url), "utf8");
export const REFRESH_SCRIPT = readFileSync(new URL("refresh.js", import.meta.url), "utf8");
