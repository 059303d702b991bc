import { isA, toCollectError } from "../../collect/errors.ts";
import type { Plugin } from "../../model/plugin.ts";
import { NothingHere } from "../../model/run.ts";
import type { Collected, Document, Rejection, Sample } from "../../model/sample.ts";
import { deriveSamples } from "../../process/derive.ts";
import { validateSamples } from "../../process/validate.ts";
import { MAX_FRAME } from "../frames.ts";
import type { WireOutcome } from "../messages.ts";

/** Samples of one run. */
const MAX_SAMPLES = 50_000;
/** Longest text of a message that is sent. */
const MAX_TEXT = 500;

const cut = (text: unknown, max = MAX_TEXT): string => String(text).slice(0, max);

/** How a run ended, as it is sent. */
export function failure(thrown: unknown): WireOutcome {
  if (isA(NothingHere, thrown)) return { status: "empty", reason: cut(thrown.message) };
  const { kind, message, status, retryAfter } = toCollectError(thrown);
  return {
    ...{ status: "failed", kind, message: cut(message) },
    ...(typeof status === "number" ? { httpStatus: status } : {}),
    ...(typeof retryAfter === "number" && retryAfter >= 0 ? { retryAfter } : {}),
  };
}

const bug = (message: string): WireOutcome => ({ status: "failed", kind: "bug", message });

/** What a run brought, as it is sent: with the metrics that the plugin works out of it, and without what cannot be sent. */
export function harvest(plugin: Plugin, given: Collected): WireOutcome {
  if (typeof given !== "object" || given === null) return bug("the plugin did not return { samples: […] }");
  const { samples, rows = [], documents = [], rejected = [], metrics, sourceTime } = given;
  if (![samples, rows, documents, rejected].every(Array.isArray))
    return bug("the plugin did not return { samples: […] }");
  if (samples.length > MAX_SAMPLES)
    return bug(`the plugin returned ${samples.length} samples; ${MAX_SAMPLES} is the most`);
  const derived = derivedOf(plugin, samples);
  const outcome: WireOutcome = {
    status: "ok",
    collected: {
      samples: [...samples, ...derived.samples].map(plainSample),
      documents: documents.map(plainDocument),
      ...(metrics === undefined ? {} : { metrics: { ...metrics } }),
      ...(sourceTime instanceof Date ? { sourceTime: sourceTime.getTime() } : {}),
      rejected: [
        ...rejected.slice(0, 900).map(plainRejection),
        ...derived.rejected.map(plainRejection),
        ...(rows.length > 0
          ? [{ reason: "bad_row", detail: "external plugins bring samples and documents", count: rows.length }]
          : []),
      ],
    },
  };
  const { length } = JSON.stringify(outcome);
  return length * 3 < MAX_FRAME || Buffer.byteLength(JSON.stringify(outcome)) < MAX_FRAME - 1_000
    ? outcome
    : bug(`the plugin returned ${length} characters of JSON; ${MAX_FRAME} bytes is the most`);
}

/** What `derive` makes of the samples that are good. */
function derivedOf(plugin: Plugin, samples: readonly Sample[]) {
  if (!plugin.derive) return { samples: [], rejected: [] };
  return deriveSamples(plugin, validateSamples(plugin.metrics, samples).samples);
}

/** JSON has no NaN, no infinity and no large integers: they travel as text, which is judged like any other value. */
function plainSample(sample: Sample): unknown {
  if (typeof sample !== "object" || sample === null) return null;
  const { metric, value, labels, at } = sample as { [K in keyof Sample]: unknown };
  const isPlain = typeof value !== "number" || Number.isFinite(value);
  return { metric, value: isPlain && typeof value !== "bigint" ? value : String(value), labels, at };
}

/** Null stands for one that is no JSON, which is counted where documents are judged. */
function plainDocument(document: Document): unknown {
  try {
    return JSON.parse(JSON.stringify({ name: document.name, body: document.body }));
  } catch {
    return null;
  }
}

const plainRejection = ({ reason, detail, count }: Rejection): Rejection => ({
  reason: cut(reason, 64),
  detail: cut(detail),
  ...(typeof count === "number" && count >= 0 ? { count } : {}),
});
