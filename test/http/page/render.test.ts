import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Overview } from "../../../src/http/app/overview.ts";
import { relativeTime, span } from "../../../src/http/page/format.ts";
import { escapeHtml, html } from "../../../src/http/page/html.ts";
import { type PageContent, renderPage, verdict } from "../../../src/http/page/page.ts";
import { problemsFirst } from "../../../src/http/page/state.ts";
import { MAX_ROWS } from "../../../src/http/page/tables.ts";
import { kit, NOW, overview, target } from "../helpers.ts";

const page = (state: Overview, over: Partial<PageContent> = {}): string =>
  renderPage({
    ...{ version: "0.1.0", startedAt: new Date(NOW.getTime() - 11_520_000), docsUrl: null, overview: state },
    ...{ ready: true, reasons: [], now: NOW },
    ...over,
  });

describe("html", () => {
  it("escapes every value, in text and in attributes, and nothing that it made itself", () => {
    const evil = `<img src=x onerror="alert('1')">&amp;`;
    const escaped = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;";
    assert.equal(html`<b title="${evil}">${evil}</b>`.markup, `<b title="${escaped}">${escaped}</b>`);
    assert.equal(html`${[html`<i>${1}</i>`, "<", null, false]}`.markup, "<i>1</i>&lt;");
  });

  it("loses nothing: unescaping gives the text back", () => {
    const back: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeHtml(text);
        assert.doesNotMatch(escaped, /[<>"']/);
        assert.equal(
          escaped.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => back[name] ?? ""),
          text,
        );
      }),
    );
  });
});

describe("times", () => {
  it("are relative, in the largest unit that fits", () => {
    const table: [number, string][] = [
      [0, "now"],
      [-999, "now"],
      [-1_000, "1s ago"],
      [4_000, "in 4s"],
      [-59_999, "59s ago"],
      [-60_000, "1m ago"],
      [-3_599_000, "59m ago"],
      [7_200_000, "in 2h"],
      [-172_800_000, "2d ago"],
      [-86_400_000 * 800, "800d ago"],
    ];
    for (const [ms, text] of table) assert.equal(relativeTime(new Date(NOW.getTime() + ms), NOW), text);
  });

  it("spans are the two largest units", () => {
    const table: [number, string][] = [
      [-5, "0 s"],
      [999, "0 s"],
      [61_000, "1 min 1 s"],
      [3_600_000, "1 h"],
      [3_605_000, "1 h"],
      [11_520_000, "3 h 12 min"],
      [90_000_000, "1 d 1 h"],
    ];
    for (const [ms, text] of table) assert.equal(span(ms), text);
  });
});

describe("the order of rows", () => {
  it("is problems first, then natural by id, and keeps every row", () => {
    const states = ["online", "stale", "unknown", "offline", "error", "degraded", "failing", "healthy"] as const;
    const rows = fc.array(fc.record({ n: fc.nat(30), state: fc.constantFrom(...states) }));
    fc.assert(
      fc.property(rows, (list) => {
        const views = list.map(({ n, state }) => target({ id: `kit-${n}`, state }));
        const sorted = problemsFirst(views);
        assert.deepEqual(new Set(sorted), new Set(views));
        const firstGood = sorted.findIndex(({ state }) => state === "online" || state === "healthy");
        const lastBad = sorted.findLastIndex(({ state }) => ["offline", "error", "failing"].includes(state));
        assert.ok(firstGood === -1 || lastBad < firstGood);
      }),
    );
    const ids = problemsFirst(["kit-10", "kit-2", "kit-1"].map((id) => target({ id }))).map(({ id }) => id);
    assert.deepEqual(ids, ["kit-1", "kit-2", "kit-10"]);
  });
});

describe("the verdict", () => {
  it("is the worst thing there is to say", () => {
    const of = (over: Partial<Overview>, ready = true) => verdict(overview({ targets: [], kits: [], ...over }), ready);
    const bad = kit({ state: "offline" });
    assert.deepEqual(of({ kits: [kit()] }, false), { tone: "bad", sentence: "Not ready" });
    assert.deepEqual(of({}), { tone: "wait", sentence: "Nothing is configured to collect from" });
    assert.deepEqual(of({ kits: [bad, kit()] }), { tone: "bad", sentence: "1 of 2 targets and kits needs attention" });
    assert.deepEqual(
      of({ targets: [target({ state: "degraded" }), target({ state: "unknown" }), target({ state: "degraded" })] }),
      {
        tone: "warn",
        sentence: "2 of 3 targets need attention",
      },
    );
    assert.deepEqual(of({ targets: [target({ state: "unknown" }), target()] }), {
      tone: "wait",
      sentence: "1 of 2 targets not heard from yet",
    });
    assert.deepEqual(of({ targets: [target()] }), { tone: "good", sentence: "The one target answers" });
    assert.deepEqual(of({ targets: [target()], kits: [kit()] }), {
      tone: "good",
      sentence: "All 2 targets and kits answer",
    });
  });
});

describe("the page", () => {
  it("shows of thousands of kits the problems first, a capped number of rows, and says so", () => {
    const kits = Array.from({ length: 5_000 }, (_, n) =>
      kit({ id: `kit-${n}`, name: `Kit ${n}`, state: n % 1_000 === 999 ? "offline" : "online" }),
    );
    const began = performance.now();
    const text = page(overview({ kits, targets: [] }));
    assert.ok(performance.now() - began < 500);
    assert.equal(text.match(/<th scope="row"/g)?.length, MAX_ROWS);
    assert.match(text, /5,000 kits, 5 with a problem, shown first\./);
    assert.match(text, /Showing 100 of them/);
    assert.ok(text.indexOf("Kit 4999") < text.indexOf("Kit 0 "));
    assert.ok(text.length < 200_000);
  });

  it("tells what is missing when it is not ready, and when the store is away", () => {
    const state = overview({ store: { label: "postgresql db:5432/metrics", reachable: false, rows: {} } });
    const text = page(state, { ready: false, reasons: ["the <store> does not answer"] });
    assert.match(text, /Not ready/);
    assert.match(text, /<li>the &lt;store&gt; does not answer<\/li>/);
    assert.match(text, /not reachable/);
  });

  it("gives exact times beside relative ones, words where there are none, and cuts endless errors", () => {
    const lastSuccess = new Date(NOW.getTime() - 180_000);
    const failing = target({
      state: "failing",
      lastSuccess,
      nextRun: null,
      consecutiveFailures: 5,
      failures: 17,
      lastError: "é".repeat(5_000),
    });
    const text = page(overview({ kits: [], targets: [failing, target({ id: "b", name: "Bee", lastSuccess: null })] }), {
      docsUrl: "https://docs.example/?a=1&b=2",
    });
    const exact = lastSuccess.toISOString();
    assert.ok(text.includes(`<time datetime="${exact}" title="${exact}">3m ago</time>`));
    assert.ok(text.includes(`<span class="error">${"é".repeat(160)}…</span>`));
    assert.match(text, /17 <small>5 in a row<\/small>/);
    assert.match(text, /none planned/);
    assert.match(text, /never/);
    assert.match(text, /Bee <small>b<\/small>/);
    assert.match(text, /list them in a <code>kits.yaml/);
    assert.ok(text.includes('<a href="https://docs.example/?a=1&amp;b=2">docs</a>'));
  });
});
