import type { Child } from "./child.ts";
import { residentBytes } from "./watch.ts";

/** How often a process is looked at (ms). */
const BEAT_MS = 500;
/** Beats in a row without an answer: its event loop has not turned for twenty seconds. Counted, so that a pause of gleaner's own is none. */
const MISSED = 40;
const MIB = 1024 * 1024;

export interface PulseDeps {
  readonly child: Child;
  /** Most resident memory (bytes). */
  readonly memory: number;
  /** Resolves when the process has answered. */
  readonly ping: () => Promise<void>;
}

/** Looks after a process for as long as it lives: whether it still answers, and how much memory it takes. */
export function createPulse({ child, memory, ping }: PulseDeps): { stop(): void } {
  let missed = 0;
  let isWaiting = false;

  function beat(): void {
    if (isWaiting && ++missed >= MISSED) child.kill(`it did nothing else for ${(MISSED * BEAT_MS) / 1_000} s`);
    if (isWaiting) return;
    [isWaiting, missed] = [true, 0];
    const answered = () => {
      isWaiting = false;
    };
    ping().then(answered, answered);
  }
  async function weigh(pid: number): Promise<void> {
    const bytes = (await residentBytes(pid)) ?? 0;
    if (bytes > memory)
      child.kill(`it took ${Math.round(bytes / MIB)} MiB of memory; ${memory / MIB} MiB is its limit`);
  }
  const timer = setInterval(() => {
    beat();
    if (child.pid !== undefined) void weigh(child.pid);
  }, BEAT_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
