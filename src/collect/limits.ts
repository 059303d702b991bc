import pLimit from "p-limit";
import type { ConfiguredTarget } from "../model/target.ts";
import type { Limit } from "./runner.ts";

/**
 * How many collections may be under way at once. Plugins share a small number of places (they may spawn processes and
 * load databases); kits have their own, enough for thousands, so that neither ever waits for the other.
 */
export function createLimits(places: { plugins: number; kits: number }): (target: ConfiguredTarget) => Limit {
  const plugins = pLimit(places.plugins);
  const kits = pLimit(places.kits);
  return (target) => (target.plugin.health === "kit" ? kits : plugins);
}
