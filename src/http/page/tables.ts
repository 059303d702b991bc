import type { KitView, TargetView } from "../app/overview.ts";
import { count, plural, relativeTime } from "./format.ts";
import { type Html, html, type Value } from "./html.ts";
import { badge, problemsFirst, tally, toneOf } from "./state.ts";

/** Rows of a table at most: a fleet of thousands is read in a dashboard, and its problems come first here. */
export const MAX_ROWS = 100;

/** Longest error shown; /api/targets has the whole one. */
const MAX_ERROR_LENGTH = 160;

interface Column<V> {
  readonly title: string;
  readonly numeric?: boolean;
  cell(view: V, now: Date): Value;
}

const STATE: Column<TargetView> = { title: "State", cell: ({ state }) => badge(toneOf(state), state) };
const RUNS: readonly Column<TargetView>[] = [
  { title: "Last success", cell: ({ lastSuccess }, now) => time(lastSuccess, now, "never") },
  { title: "Next run", cell: ({ nextRun }, now) => time(nextRun, now, "none planned") },
  { title: "Failures", numeric: true, cell: failures },
  { title: "Series", numeric: true, cell: ({ series }) => count(series) },
  { title: "Last error", cell: lastError },
];

const TARGET_COLUMNS: readonly Column<TargetView>[] = [
  STATE,
  { title: "Plugin", cell: ({ plugin }) => html`<code>${plugin}</code>` },
  ...RUNS,
];
const KIT_COLUMNS: readonly Column<KitView>[] = [
  STATE,
  { title: "Location", cell: ({ location }) => location ?? muted("not given") },
  ...RUNS,
];

export function targetTable(views: readonly TargetView[], now: Date): Html {
  return table({ id: "targets", noun: "target", columns: TARGET_COLUMNS, views, now });
}

export function kitTable(views: readonly KitView[], now: Date): Html {
  return table({ id: "kits", noun: "kit", columns: KIT_COLUMNS, views, now });
}

interface TableOf<V> {
  readonly id: string;
  readonly noun: string;
  readonly columns: readonly Column<V>[];
  readonly views: readonly V[];
  readonly now: Date;
}

// The roles repeat what the elements mean, because a narrow screen shows the rows as cards (display: block),
// and browsers then forget that it is a table.
function table<V extends TargetView>({ id, noun, columns, views, now }: TableOf<V>): Html {
  const shown = problemsFirst(views).slice(0, MAX_ROWS);
  return html`<table role="table">
<caption>${caption(noun, views, shown.length)}</caption>
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">${noun === "kit" ? "Kit" : "Target"}</th>${columns.map(header)}</tr></thead>
<tbody role="rowgroup" id="${id}-rows">${shown.map((view) => row(view, columns, now))}</tbody>
</table>`;
}

function header<V>({ title, numeric }: Column<V>): Html {
  return html`<th scope="col" role="columnheader"${numeric ? html` class="number"` : null}>${title}</th>`;
}

function row<V extends TargetView>(view: V, columns: readonly Column<V>[], now: Date): Html {
  const label = view.name === view.id ? null : html` <small>${view.id}</small>`;
  const cells = columns.map(
    (column) =>
      html`<td role="cell" data-title="${column.title}"${column.numeric ? html` class="number"` : null}><span>${column.cell(view, now)}</span></td>`,
  );
  return html`<tr role="row"><th scope="row" role="rowheader">${view.name}${label}</th>${cells}</tr>\n`;
}

function caption(noun: string, views: readonly TargetView[], shown: number): Html {
  const { total, problems } = tally(views);
  const state = problems === 0 ? "none with a problem" : `${count(problems)} with a problem, shown first`;
  const cap =
    shown < total ? html` Showing ${count(shown)} of them; <a href="/api/targets">/api/targets</a> has all.` : null;
  return html`${plural(total, noun)}, ${state}.${cap}`;
}

function failures({ consecutiveFailures, failures: all }: TargetView): Value {
  if (all === 0 && consecutiveFailures === 0) return "0";
  return consecutiveFailures === 0
    ? count(all)
    : html`${count(all)} <small>${count(consecutiveFailures)} in a row</small>`;
}

function lastError({ lastError: error, consecutiveFailures }: TargetView): Value {
  if (error === null) return muted("none");
  const characters = [...error];
  const text = characters.length > MAX_ERROR_LENGTH ? `${characters.slice(0, MAX_ERROR_LENGTH).join("")}…` : error;
  return consecutiveFailures > 0 ? html`<span class="error">${text}</span>` : muted(text);
}

function time(at: Date | null, now: Date, absent: string): Html {
  if (at === null) return muted(absent);
  const exact = at.toISOString();
  return html`<time datetime="${exact}" title="${exact}">${relativeTime(at, now)}</time>`;
}

function muted(text: string): Html {
  return html`<span class="muted">${text}</span>`;
}
