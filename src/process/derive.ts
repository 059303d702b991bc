import type { Plugin } from "../model/plugin.ts";
import type { Sample } from "../model/sample.ts";
import { type Validated, validateSamples } from "./validate.ts";

const FAILED: Validated = { samples: [], rejected: [{ reason: "derive_failed", detail: "the plugin's derive threw" }] };

/**
 * The metrics that a plugin works out of those a run brought, held to the same declarations. They come on top: what of
 * them cannot be used costs none of the others.
 */
export function deriveSamples(plugin: Plugin, samples: readonly Sample[]): Validated {
  if (!plugin.derive || samples.length === 0) return { samples: [], rejected: [] };
  try {
    const derived: unknown = plugin.derive(samples);
    return Array.isArray(derived) ? validateSamples(plugin.metrics, derived) : FAILED;
  } catch {
    return FAILED;
  }
}
