import type { TargetView } from "../health/monitor.ts";
import type { Logger } from "../model/plugin.ts";
import { isKit } from "./points.ts";

/** More kits than this are summed up in one line; those in trouble still get one each, up to as many. */
const MAX_LINES = 25;

const percent = (part: number, whole: number) => (whole === 0 ? "n/a" : `${((100 * part) / whole).toFixed(1)}%`);

function lineOf(view: TargetView): string {
  const jobs = Object.values(view.runs);
  const requests = jobs.reduce((sum, job) => sum + job.runs, 0);
  const failed = jobs.flatMap((job) => Object.values(job.failures)).reduce((sum, n) => sum + n, 0);
  const ok = requests - failed;
  return `Kit ${view.target.id}: ${view.state} | Success rate: ${percent(ok, requests)} | Requests: ${requests} (OK: ${ok}, Failed: ${failed})`;
}

/** Logs how the kits are doing: a line a kit (and its last error, if it had one) for small fleets, for large ones a sum and a line for each in trouble. */
export function reportKits(views: readonly TargetView[], log: Logger): void {
  const kits = views.filter((view) => isKit(view.target));
  if (kits.length === 0) return;
  const shown = kits.length <= MAX_LINES ? kits : kits.filter((view) => view.state !== "online").slice(0, MAX_LINES);
  for (const view of shown) {
    log.info({ kit: view.target.id }, lineOf(view));
    if (view.lastError) log.info({ kit: view.target.id }, `Last error: ${view.lastError}`);
  }
  if (kits.length <= MAX_LINES) return;
  const online = kits.filter((view) => view.state === "online").length;
  log.info({ kits: kits.length, online }, `${online} of ${kits.length} kits are online`);
}
