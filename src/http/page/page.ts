import type { Overview, StoreView } from "../app/overview.ts";
import { REFRESH_SCRIPT, STYLE } from "./assets.ts";
import { count, span } from "./format.ts";
import { type Html, html, trusted } from "./html.ts";
import { badge, type Tone, tally } from "./state.ts";
import { kitTable, targetTable } from "./tables.ts";

export interface PageContent {
  readonly version: string;
  readonly startedAt: Date;
  readonly docsUrl: string | null;
  readonly overview: Overview;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reasons: readonly string[];
  readonly now: Date;
}

const NO_KITS = html`<p class="muted">None are configured. To poll field kits, list them in a <code>kits.yaml</code> and start gleaner with <code>KITS_CONFIG=kits.yaml</code>.</p>`;
const NO_TARGETS = html`<p class="muted">None are configured.</p>`;

/** A gleaned ear of grain, drawn in the page so that no further request is needed. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' fill='%23175c3c'/%3E%3Cpath d='M16 27V9M16 13c-5 0-6-4-6-6 4 0 6 2 6 6zm0 0c5 0 6-4 6-6-4 0-6 2-6 6zm0 8c-5 0-6-4-6-6 4 0 6 2 6 6zm0 0c5 0 6-4 6-6-4 0-6 2-6 6z' fill='none' stroke='%23f4d58d' stroke-width='2' stroke-linejoin='round' stroke-linecap='round'/%3E%3C/svg%3E";

/**
 * The landing page, complete without JavaScript. The script fetches it again and replaces the parts marked data-live;
 * nothing focusable lives in those that move, so that focus and scroll position stay.
 */
export function renderPage(content: PageContent): string {
  const { overview, now } = content;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>gleaner</title>
<link rel="icon" href="${ICON}">
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the state of targets</a>
${banner(content)}
<main id="main" tabindex="-1">
${summary(content)}
${facts(content)}
${section("kits", "Kits", overview.kits.length > 0 ? kitTable(overview.kits, now) : NO_KITS)}
${section("targets", "Targets", overview.targets.length > 0 ? targetTable(overview.targets, now) : NO_TARGETS)}
</main>
${footer(content)}
<script>${trusted(REFRESH_SCRIPT)}</script>
</body>
</html>
`.markup;
}

function banner({ version, docsUrl }: PageContent): Html {
  return html`<header>
<img src="${ICON}" alt="" width="36" height="36">
<h1>gleaner <small>${version}</small></h1>
<nav aria-label="Endpoints"><ul>
<li><a href="/metrics">/metrics</a></li>
<li><a href="/-/ready">/-/ready</a></li>
<li><a href="/sd/kits">/sd/kits</a></li>
<li><a href="/api/jobs">/api/jobs</a></li>
<li><a href="/api/targets">/api/targets</a></li>
${docsUrl !== null && html`<li><a href="${docsUrl}">docs</a></li>`}
</ul></nav>
</header>`;
}

function summary({ overview, ready, reasons }: PageContent): Html {
  const { tone, sentence } = verdict(overview, ready);
  return html`<section aria-labelledby="summary" class="summary ${tone}" data-live="summary">
<h2 id="summary">${badge(tone, sentence)}</h2>
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
</section>`;
}

/** One line for the whole: the worst thing there is to say. */
export function verdict(
  { kits, targets }: Overview,
  ready: boolean,
): { readonly tone: Tone; readonly sentence: string } {
  const { total, problems, waiting, worst } = tally([...kits, ...targets]);
  const things = kits.length > 0 ? "targets and kits" : total === 1 ? "target" : "targets";
  if (!ready) return { tone: "bad", sentence: "Not ready" };
  if (total === 0) return { tone: "wait", sentence: "Nothing is configured to collect from" };
  if (problems > 0) {
    return {
      tone: worst,
      sentence: `${count(problems)} of ${count(total)} ${things} ${problems === 1 ? "needs" : "need"} attention`,
    };
  }
  if (waiting > 0)
    return { tone: "wait", sentence: `${count(waiting)} of ${count(total)} ${things} not heard from yet` };
  return { tone: "good", sentence: total === 1 ? "The one target answers" : `All ${count(total)} ${things} answer` };
}

function facts({ overview, startedAt, now }: PageContent): Html {
  const { store, series } = overview;
  return html`<dl class="facts" data-live="facts">
<div><dt>Running for</dt><dd><time datetime="${startedAt.toISOString()}" title="since ${startedAt.toISOString()}">${span(now.getTime() - startedAt.getTime())}</time></dd></div>
<div><dt>Series served</dt><dd>${count(series)}</dd></div>
<div><dt>Rows stored since start</dt><dd>${count(total(store))} ${rowsByTable(store)}</dd></div>
<div><dt>Store</dt><dd class="store">${store.label} ${!store.reachable && badge("bad", "not reachable")}</dd></div>
</dl>`;
}

function total({ rows }: StoreView): number {
  return Object.values(rows).reduce((sum, n) => sum + n, 0);
}

function rowsByTable({ rows }: StoreView): Html | null {
  const tables = Object.entries(rows).toSorted(([, a], [, b]) => b - a);
  if (tables.length < 2) return null;
  return html`<small>${tables.map(([table, n]) => `${count(n)} ${table}`).join(" · ")}</small>`;
}

function section(id: string, title: string, content: Html): Html {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
<div data-live="${id}">${content}</div>
</section>`;
}

function footer({ now }: PageContent): Html {
  return html`<footer>
<p data-live="as-of">As of <time datetime="${now.toISOString()}">${now.toISOString().slice(0, 19).replace("T", " ")} UTC</time>.</p>
<p role="status" id="connection"></p>
</footer>`;
}
