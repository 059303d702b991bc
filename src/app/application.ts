import type { Buffers } from "../buffer/buffers.ts";
import { negotiate } from "../expose/negotiate.ts";
import type { Renderer } from "../expose/render.ts";
import type { Snapshot } from "../expose/types.ts";
import type { Components } from "../health/components.ts";
import type { Monitor, TargetView } from "../health/monitor.ts";
import type { Agents } from "../http/app/agents.ts";
import type { Exposition } from "../http/app/exposition.ts";
import type { JobView, KitView, TargetView as ShownTarget } from "../http/app/overview.ts";
import type { Reads } from "../http/app/reads.ts";
import type { Application } from "../http/app.ts";
import { formatDuration } from "../model/duration.ts";
import { canonicalPluginId } from "../model/plugin.ts";
import type { Trigger } from "../model/target.ts";
import type { Scheduler, SlotView } from "../schedule/scheduler.ts";
import type { Writer } from "../store/writer.ts";
import { buffersView, healthView } from "./background-views.ts";
import type { PluginRegistry } from "./plugin-registry.ts";
import { isKit } from "./points.ts";
import { kitAddress } from "./records.ts";

export interface ApplicationDeps {
  readonly version: string;
  readonly startedAt: Date;
  readonly storeLabel: string;
  /** Rows newly stored since start, by table. */
  readonly storedRows: Readonly<Record<string, number>>;
  readonly scheduler: Pick<Scheduler, "list">;
  readonly monitor: Pick<Monitor, "views" | "view">;
  readonly snapshot: Pick<Snapshot, "size">;
  readonly renderer: Renderer;
  readonly writer: Pick<Writer, "isDown">;
  readonly stopping: AbortSignal;
  readonly otelMetrics: () => Promise<Exposition>;
  readonly probe: Application["probe"];
  readonly receiveAlerts: Application["receiveAlerts"];
  readonly registry: Pick<PluginRegistry, "views" | "change">;
  readonly buffers: Pick<Buffers, "view" | "points" | "memory">;
  readonly components: Pick<Components, "view">;
  readonly agents: Agents;
  readonly reads: Reads;
}

const DOCS_URL = null;

function soonest(slots: readonly SlotView[]): Date | null {
  const times = slots.flatMap((slot) => (slot.nextRun ? [slot.nextRun.getTime()] : []));
  return times.length > 0 ? new Date(Math.min(...times)) : null;
}

function shown(view: TargetView, slots: readonly SlotView[], series: number): ShownTarget {
  return {
    id: view.target.id,
    name: view.target.name,
    plugin: view.target.plugin.id,
    state: view.state,
    lastSuccess: view.lastSuccess,
    nextRun: soonest(slots),
    consecutiveFailures: view.consecutiveFailures,
    failures: view.errors,
    lastError: view.lastError,
    series,
    rejected: view.rejected,
  };
}

const shownKit = (view: TargetView, target: ShownTarget): KitView => ({
  ...target,
  location: view.target.tags["location"] ?? null,
  address: kitAddress(view.target),
});

function triggerText(trigger: Trigger): string {
  if ("reported" in trigger) return `reported every ${formatDuration(trigger.reported)}`;
  return "every" in trigger ? `every ${formatDuration(trigger.every)}` : `cron ${trigger.cron}`;
}

/** The jobs that nothing here starts. */
function reportedJobs(view: TargetView): JobView[] {
  const targetId = view.target.id;
  return Object.entries(view.target.jobs).flatMap(([job, { trigger }]) =>
    "reported" in trigger ? [jobView({ targetId, job, trigger, nextRun: null }, view)] : [],
  );
}

type JobSlot = Pick<SlotView, "targetId" | "job" | "nextRun"> & { readonly trigger: Trigger };

function jobView(slot: JobSlot, view: TargetView | undefined): JobView {
  const last = view?.runs[slot.job]?.last ?? null;
  return {
    target: slot.targetId,
    plugin: view?.target.plugin.id ?? "",
    job: slot.job,
    trigger: triggerText(slot.trigger),
    nextRun: slot.nextRun,
    lastRun: last?.at ?? null,
    lastOutcome: last?.outcome ?? null,
    reason: last?.reason ?? null,
    lastDurationMs: last?.durationMs ?? null,
  };
}

/** What the HTTP server may ask of the process, answered from memory. */
export function createApplication(deps: ApplicationDeps): Application {
  const byTarget = () => Map.groupBy(deps.scheduler.list(), (slot) => slot.targetId);

  return {
    version: deps.version,
    startedAt: deps.startedAt,
    docsUrl: DOCS_URL,
    describe() {
      const slots = byTarget();
      const views = deps.monitor.views().map((view) => ({
        view,
        target: shown(view, slots.get(view.target.id) ?? [], deps.snapshot.size(view.target.id)),
      }));
      const kits = views.filter(({ view }) => isKit(view.target));
      return {
        store: { label: deps.storeLabel, reachable: deps.writer.isDown() === undefined, rows: deps.storedRows },
        series: deps.snapshot.size(),
        targets: views.filter(({ view }) => !isKit(view.target)).map(({ target }) => target),
        kits: kits.map(({ view, target }) => shownKit(view, target)),
      };
    },
    jobs: () => [
      ...deps.scheduler.list().map((slot) => jobView(slot, deps.monitor.view(slot.targetId))),
      ...deps.monitor.views().flatMap(reportedJobs),
    ],
    metrics: (accept, acceptEncoding) => deps.renderer.render(negotiate({ accept, "accept-encoding": acceptEncoding })),
    otelMetrics: deps.otelMetrics,
    ready() {
      const down = deps.writer.isDown();
      const reasons = [
        ...(deps.stopping.aborted ? ["gleaner is stopping"] : []),
        ...(down === undefined ? [] : [`the store cannot be written: ${down}`]),
      ];
      return { ready: reasons.length === 0, reasons };
    },
    serviceDiscovery() {
      const kits = deps.monitor.views().filter((view) => isKit(view.target));
      return kits.map(({ target }) => ({
        targets: [new URL(kitAddress(target)).host],
        labels: {
          __meta_gleaner_kit: target.id,
          __meta_gleaner_name: target.name,
          __meta_gleaner_location: target.tags["location"] ?? "",
        },
      }));
    },
    probe: deps.probe,
    receiveAlerts: deps.receiveAlerts,
    buffers(targetId, limit, since) {
      const view = deps.monitor.view(targetId);
      return view && buffersView(view.target, deps.buffers, limit, since);
    },
    health: (component) => healthView(deps.components.view(), component),
    agents: deps.agents,
    reads: deps.reads,
    plugins: deps.registry.views,
    changePlugin: (id, change) => deps.registry.change(canonicalPluginId(id), change),
  };
}
