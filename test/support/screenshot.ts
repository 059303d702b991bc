// Makes the pictures of the README: `npm run screenshot` runs a demo, waits until every kind of state can be seen, and
// leaves docs/images/landing-light.png and -dark.png.
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { temporaryFolder } from "./folder.ts";
import { startGleaner } from "./process.ts";

const IMAGES = resolve(import.meta.dirname, "../../docs/images");
/** As much of the page as fits the first screen of the README. */
const VIEWPORT = { width: 1_280, height: 820 };
/** A kit whose status stands still turns stale after a minute. */
const SETTLED_MS = 100_000;

using folder = temporaryFolder();
await using gleaner = await startGleaner({ cwd: folder.path, env: { LOG_LEVEL: "error" } }, ["demo", "--kits=10"]);
await using browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
await sleep(SETTLED_MS);
for (const colorScheme of ["light", "dark"] as const) {
  const page = await browser.newPage({ colorScheme, viewport: VIEWPORT });
  await page.goto(gleaner.url);
  await page.screenshot({ path: `${IMAGES}/landing-${colorScheme}.png` });
}
await gleaner.stop();
