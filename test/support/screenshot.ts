// Makes the pictures of the README: `npm run screenshot` runs a demo, waits until every kind of state can be seen, and
// leaves docs/images/landing-light.png and -dark.png.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { startProgram } from "./program.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** A kit whose status stands still turns stale after a minute. */
const SETTLED_MS = 100_000;

const folder = await mkdtemp(join(tmpdir(), "gleaner-screenshot-"));
const gleaner = startProgram(process.execPath, [join(ROOT, "bin/gleaner.js"), "demo", "--kits=10"], {
  cwd: folder,
  env: { GLEANER_LISTEN: "127.0.0.1:0", LOG_LEVEL: "error" },
});
try {
  const [, url = ""] = await gleaner.printed(/serving +(http:\S+)/);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    await sleep(SETTLED_MS);
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1_280, height: 800 } });
      await page.goto(url);
      await page.screenshot({ path: join(ROOT, `docs/images/landing-${colorScheme}.png`), fullPage: true });
    }
  } finally {
    await browser.close();
  }
} finally {
  await gleaner.stop();
  await rm(folder, { recursive: true });
}
