import { ExponentialBackoff, noJitterGenerator } from "cockatiel";
import type { PausePolicy } from "../model/target.ts";

/** Share of the delay that is spread around it, so that a fleet that went down together does not come back in step. */
const JITTER = 0.1;

/**
 * The pause after the n-th failure in a row: 5, 10, 20, 40, 80, 160, 300 s by default, ±10 %.
 * @param random in [0, 1); 0.5 gives the exact value.
 */
export function backoffDelay(failures: number, pause: PausePolicy, random: number): number {
  const factory = new ExponentialBackoff({
    initialDelay: pause.initialBackoff,
    maxDelay: pause.maxBackoff,
    exponent: 2,
    generator: noJitterGenerator,
  });
  let step = factory.next();
  // Past 64 doublings the cap has long been reached.
  for (let n = 1; n < Math.min(failures, 64) && step.duration < pause.maxBackoff; n++) step = step.next(undefined);
  return step.duration * (1 - JITTER + 2 * JITTER * random);
}
