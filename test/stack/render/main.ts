// Makes the pictures of docs/grafana.md: `npm run pictures [dashboard uid …]` starts the stack, lets things happen, and draws each
// dashboard's layout with what its queries bring.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { ROOT } from "../../packaging/files.ts";
import { ask } from "../grafana/prometheus.ts";
import type { View } from "../grafana/range.ts";
import { loadDashboards, showDashboard } from "../panels.ts";
import { nameOf } from "../support/alerts.ts";
import { type Stack, startStack, WELL_KIT } from "../support/scene.ts";
import { SCRAPE_MS } from "../support/servers.ts";
import { pageOf, WIDTH } from "./page.ts";
import type { ListedAlert } from "./panels.ts";

const IMAGES = join(ROOT, "docs/grafana");
/** How long the stack runs before the pictures are taken, and when which kit gets into trouble and out again (ms). */
const RUN_MS = 240_000;
const EVENTS = [
  { at: 30_000, kit: "kit-001", fault: "refused" },
  { at: 70_000, kit: "kit-002", fault: "http_500" },
  { at: 80_000, kit: "kit-001", fault: "healthy" },
  { at: 130_000, kit: "kit-002", fault: "healthy" },
  { at: 180_000, kit: "kit-003", fault: "refused" },
] as const;

async function letThingsHappen({ sim, since }: Stack): Promise<void> {
  const until = (ms: number) => sleep(Math.max(0, since + ms - Date.now()));
  for (const { at, kit, fault } of EVENTS) {
    await until(at);
    await sim.setFault(kit, fault);
  }
  await until(RUN_MS);
}

/** What the list of alerts would show, where Grafana evaluates the rules. */
async function alertsOf({ prometheus }: Stack): Promise<ListedAlert[]> {
  const { alerts } = await ask<{ alerts: { labels: Record<string, string>; state: string }[] }>(prometheus, "alerts");
  return alerts.map(({ labels, state }) => {
    const [, subject = ""] = nameOf(labels).split(" ");
    return {
      name: (labels["alertname"] ?? "").replace(/^Gleaner/, "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "),
      subject,
      state,
    };
  });
}

/** Pages of plugins are alike: one is enough. */
const isOneOfMany = (uid: string) => uid.startsWith("gleaner-plugin-") && uid !== "gleaner-plugin-system_info";

async function main(): Promise<void> {
  const only = process.argv.slice(2);
  await using stack = await startStack();
  await letThingsHappen(stack);
  await using browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const sources = { prometheus: stack.prometheus, database: stack.reader };
  mkdirSync(IMAGES, { recursive: true });
  for (const subject of loadDashboards()) {
    const { uid } = subject.dashboard;
    if (only.length > 0 ? !only.includes(uid) : isOneOfMany(uid)) continue;
    // The whole run, on every dashboard: there is nothing older to show.
    const view: View = { from: stack.since, to: Date.now(), scrape: SCRAPE_MS, finest: true };
    const { panels, chosen, problems } = await showDashboard(subject, sources, {
      view,
      preferred: new Map([["kit", WELL_KIT]]),
    });
    // Of a plugin that nothing is collected with here there is nothing to see.
    if (problems.length > 0) {
      console.log(`${uid}: no picture: ${problems.join(", ")}`);
      continue;
    }
    const frames = new Map(panels.map((panel) => [panel.id, panel.frames]));
    const { html, height } = pageOf({ subject, chosen, frames, view, alerts: await alertsOf(stack) });
    await page.setViewportSize({ width: WIDTH, height });
    await page.setContent(html);
    const file = join(IMAGES, `${uid.replace(/^gleaner-/, "")}.png`);
    const bytes = await page.screenshot();
    writeFileSync(file, bytes);
    console.log(`${file}: ${WIDTH} x ${height}, ${Math.round(bytes.length / 1_024)} kB`);
  }
}

await main();
