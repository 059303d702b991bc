import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Overview } from "../../../src/http/app/overview.ts";
import { eventually } from "../../support/eventually.ts";
import { application, kit, overview, serve, target } from "../helpers.ts";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--no-first-run"],
];
const required = process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1";
const skip = existsSync(CHROMIUM) || required ? false : `${CHROMIUM} is not installed`;
/** Where to leave pictures of the page; the README's picture is made by running this test with it. */
const pictures = process.env["GLEANER_SCREENSHOT_DIR"];

const CONTRAST = readFileSync(new URL("contrast.js", import.meta.url), "utf8");
const EVIL = `<img src=x onerror="document.title='owned'">`;

const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1_000);

/** A small fleet with one of everything that can be seen. */
function fleet(): Overview {
  const silent = { lastSuccess: ago(2_460), nextRun: ago(-151), consecutiveFailures: 11, failures: 24, series: 4 };
  return overview({
    series: 1_284,
    store: {
      label: "sqlite data/gleaner.db",
      reachable: true,
      rows: { samples: 482_119, drones: 31_704, signals: 8_212, system_health: 4_310 },
    },
    kits: [
      kit({
        id: "kit-001",
        name: "Harbour",
        location: "North pier",
        lastSuccess: ago(2),
        nextRun: ago(-3),
        series: 46,
      }),
      kit({
        id: "kit-002",
        name: "Ridge",
        location: "Watch tower",
        lastSuccess: ago(4),
        nextRun: ago(-1),
        series: 51,
        failures: 3,
        lastError: "timeout: no answer within 10s",
      }),
      kit({
        id: "kit-003",
        name: "Airfield",
        location: "Hangar 4",
        state: "offline",
        lastError: "unreachable: connection refused by 192.0.2.13:8088",
        ...silent,
      }),
      kit({
        id: "kit-004",
        name: "Depot",
        location: null,
        state: "stale",
        lastSuccess: ago(95),
        nextRun: ago(-4),
        consecutiveFailures: 0,
        failures: 2,
        lastError: "bad_data: the kit's clock stands still",
        series: 12,
      }),
      kit({
        id: "kit-005",
        name: "Quarry",
        location: "East face",
        state: "unknown",
        lastSuccess: null,
        nextRun: ago(-1),
        series: 4,
      }),
      kit({ id: "kit-006", name: "Dam", location: "Crest", lastSuccess: ago(1), nextRun: ago(-4), series: 44 }),
    ],
    targets: [
      target({ id: "system_info", name: "system_info", lastSuccess: ago(21), nextRun: ago(-24), series: 31 }),
      target({
        id: "disk_monitor",
        name: "disk_monitor",
        plugin: "disk_monitor",
        lastSuccess: ago(40),
        nextRun: ago(-20),
        series: 18,
      }),
      target({
        id: "network_monitor",
        name: "network_monitor",
        plugin: "network_monitor",
        lastSuccess: ago(12),
        nextRun: ago(-48),
        series: 27,
      }),
    ],
  });
}

describe("the landing page in Chromium", { skip }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  });
  after(() => browser?.close());

  /** Opens the page and returns it with what the console said. */
  async function visit(
    t: TestContext,
    describeNow: () => Overview,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; said: string[] }> {
    const { url } = await serve(t, { app: application({ describe: describeNow, docsUrl: "https://docs.example/" }) });
    const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options });
    t.after(() => context.close());
    const page = await context.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("requestfailed", (request) => said.push(request.url()));
    await page.goto(url);
    return { page, said };
  }

  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [360, 1_280]) {
      it(`is whole and legible in ${colorScheme} at ${width} px`, async (t) => {
        const { page, said } = await visit(t, fleet, { colorScheme, viewport: { width, height: 800 } });
        const [needed, given] = await page.evaluate<number[]>("[document.documentElement.scrollWidth, innerWidth]");
        assert.ok((needed ?? 0) <= (given ?? 0), `${needed} px needed, ${given} px there`);
        const contrast = await page.evaluate<{ checked: number; low: unknown[] }>(CONTRAST);
        assert.ok(contrast.checked > 100);
        assert.deepEqual(contrast.low, []);
        const dark = await page.evaluate<boolean>("getComputedStyle(document.body).backgroundColor < 'rgb(2'");
        assert.equal(dark, colorScheme === "dark");
        assert.deepEqual(said, []);
        if (pictures) {
          mkdirSync(pictures, { recursive: true });
          await page.screenshot({ path: join(pictures, `landing-${colorScheme}-${width}.png`), fullPage: true });
        }
      });
    }
  }

  for (const width of [360, 1_280]) {
    it(`has landmarks, headings and tables for screen readers at ${width} px`, async (t) => {
      const { page } = await visit(t, fleet, { viewport: { width, height: 800 } });
      for (const role of ["banner", "main", "contentinfo"] as const)
        assert.equal(await page.getByRole(role).count(), 1, role);
      assert.equal(await page.getByRole("navigation", { name: "Endpoints" }).getByRole("link").count(), 6);
      assert.deepEqual(await page.getByRole("heading").allTextContents(), [
        "gleaner 0.1.0",
        "2 of 9 targets and kits need attention",
        "Kits",
        "Targets",
      ]);
      assert.equal(await page.title(), "gleaner");
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
      const kits = page.getByRole("table", { name: "6 kits, 2 with a problem, shown first." });
      assert.deepEqual(await kits.getByRole("columnheader").allTextContents(), [
        "Kit",
        "State",
        "Location",
        "Last success",
        "Next run",
        "Failures",
        "Series",
        "Last error",
      ]);
      assert.match((await kits.getByRole("rowheader").first().textContent()) ?? "", /Airfield/);
      const first = kits.getByRole("row").nth(1).getByRole("cell");
      assert.deepEqual((await first.allTextContents()).slice(0, 2), ["offline", "Hangar 4"]);
      assert.equal(await page.getByRole("table", { name: /^3 targets, none with a problem/ }).count(), 1);
      assert.equal(await page.locator("svg:not([aria-hidden=true])").count(), 0);
    });
  }

  it("is whole without JavaScript", async (t) => {
    const { page } = await visit(t, fleet, { javaScriptEnabled: false });
    assert.equal(await page.getByRole("row").count(), 11);
    assert.equal(await page.getByRole("status").textContent(), "");
  });

  it("shows the focus of the keyboard, the skip link first", async (t) => {
    const { page } = await visit(t, fleet);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the state of targets");
    assert.equal(await page.evaluate("document.activeElement.getBoundingClientRect().left >= 0"), true);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "solid");
    assert.equal(await page.evaluate("getComputedStyle(document.activeElement).outlineWidth"), "3px");
  });

  it("shows markup in names as text", async (t) => {
    const state = overview({
      kits: [
        kit({
          id: EVIL,
          name: EVIL,
          location: `"><script>document.title='owned'</script>`,
          lastError: `</td>${EVIL}`,
          consecutiveFailures: 1,
          failures: 1,
        }),
      ],
      targets: [target({ id: "x", name: `<svg onload="document.title='owned'">`, plugin: `javascript:alert(1)` })],
      store: { label: EVIL, reachable: true, rows: { [EVIL]: 1, b: 2 } },
    });
    const { page, said } = await visit(t, () => state);
    assert.equal(await page.title(), "gleaner");
    assert.match((await page.getByRole("rowheader").first().textContent()) ?? "", /<img src=x onerror=/);
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.deepEqual(said, []);
  });

  it("follows the state, keeps focus and scroll position, and says when gleaner is gone", async (t) => {
    let state = fleet();
    const { page } = await visit(t, () => state, { viewport: { width: 360, height: 500 } });
    await page.clock.install();
    await page.reload();
    await page.getByRole("link", { name: "/api/jobs" }).focus();
    await page.evaluate("scrollTo(0, 120)");
    state = { ...state, kits: [kit({ name: "Newcomer" })], targets: [] };
    const answered = page.waitForResponse((response) => response.url().endsWith("/"));
    await page.clock.runFor(5_000);
    await answered;
    await page.getByText("Newcomer").waitFor();
    assert.equal(await page.evaluate("document.activeElement.textContent"), "/api/jobs");
    assert.equal(await page.evaluate("scrollY"), 120);
    assert.equal(await page.getByRole("status").textContent(), "");
    await page.route("**/*", (route) => route.abort());
    await page.clock.runFor(5_000);
    await page.getByText("gleaner does not answer").waitFor();
    await page.unroute("**/*");
    await page.clock.runFor(5_000);
    // Not waitForFunction: it asks again by eval, which the page's policy forbids.
    await eventually(async () => assert.equal(await page.getByRole("status").textContent(), ""));
  });
});
