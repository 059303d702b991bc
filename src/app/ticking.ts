import type { Monitor } from "../health/monitor.ts";
import { hours, minutes } from "../model/duration.ts";
import type { Logger } from "../model/plugin.ts";
import { startEvery } from "../schedule/every.ts";
import type { Background } from "./background.ts";
import type { External } from "./external.ts";
import type { Pipeline } from "./pipeline.ts";
import { reportKits } from "./report.ts";
import type { Wanted } from "./wanted.ts";

const TICK_MS = 5_000;
const REPORT_MS = 60_000;
/** How often it is noticed that an agent is silent: they may mean to report every second. */
const AGENT_TICK_MS = 1_000;
/** Rolling up and deleting by age, where the database does not do it itself: every hour, off the full hour. */
const MAINTENANCE = { every: hours(1), phase: minutes(7) };

export interface TickingDeps {
  readonly pipeline: Pick<Pipeline, "tick">;
  readonly background: Pick<Background, "tick" | "evaluate">;
  /** How often the health of components is judged (ms). */
  readonly healthInterval: number;
  readonly wanted: Pick<Wanted, "registry" | "agents">;
  readonly external: Pick<External, "isMended">;
  readonly reload: () => void;
  readonly monitor: Pick<Monitor, "views">;
  readonly maintain: () => void;
  readonly log: Logger;
}

/** Lets time pass for everything that is not a collection. */
export function startTicking(deps: TickingDeps): { stop(): void } {
  const { pipeline, background, healthInterval, wanted, external, reload, monitor, maintain, log } = deps;
  const timers = [
    setInterval(pipeline.tick, TICK_MS),
    setInterval(background.tick, TICK_MS),
    setInterval(background.evaluate, healthInterval),
    setInterval(wanted.registry.poll, TICK_MS),
    setInterval(async () => (await external.isMended()) && reload(), TICK_MS),
    setInterval(wanted.agents.poll, TICK_MS),
    setInterval(wanted.agents.tick, AGENT_TICK_MS),
    setInterval(() => reportKits(monitor.views(), log), REPORT_MS),
  ];
  const maintenance = startEvery(MAINTENANCE.every, MAINTENANCE.phase, maintain);
  return {
    stop() {
      maintenance.stop();
      for (const timer of timers) clearInterval(timer);
    },
  };
}
