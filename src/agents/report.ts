import { days, minutes } from "../model/duration.ts";
import type { Collected, Document, Rejection, Sample } from "../model/sample.ts";
import { toUtc } from "../model/time.ts";
import { ownName } from "./declaration.ts";

/** Samples of one report; 500 KB hold about as many. */
const MAX_SAMPLES = 5_000;
const MAX_DOCUMENTS = 20;
const MAX_LABEL_VALUE = 500;
/**
 * How far an agent's clock may be ahead, and how long it may keep what it could not report: with the time the row is made,
 * and a database makes room by time.
 */
const AHEAD_MS = minutes(5);
const BEHIND_MS = days(7);

/** A report that can be read; what of it cannot be used is among `collected.rejected`. */
export interface Report {
  /** When the agent measured, by its own clock: with it a report that comes again is known. */
  readonly at: Date;
  /** How long measuring took, as it says. */
  readonly durationMs: number;
  readonly collected: Collected;
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads the body of a report. @returns a sentence when it is none */
export function readReport(body: unknown, now: Date): Report | string {
  if (!isObject(body)) return 'expected {"at": …, "samples": […]}';
  const { at: told, samples = [], documents = [], duration_seconds: took = 0, ...rest } = body;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return "expected no other fields than at, samples, documents and duration_seconds";
  if (!Array.isArray(samples) || !Array.isArray(documents)) return "expected lists of samples and of documents";
  if (samples.length + documents.length === 0) return "expected at least one sample or document";
  if (typeof took !== "number" || !(took >= 0 && took <= 86_400)) return "expected duration_seconds from 0 to 86400";
  const at = readTime(told, now);
  if (typeof at === "string") return at;
  const rejected = tally();
  const collected = {
    samples: samples.slice(0, MAX_SAMPLES).flatMap((sample) => readSample(sample, now, rejected.note)),
    documents: documents.slice(0, MAX_DOCUMENTS).flatMap((document) => readDocument(document, rejected.note)),
  };
  rejected.note("too_many_samples", samples.length - MAX_SAMPLES);
  rejected.note("too_many_documents", documents.length - MAX_DOCUMENTS);
  return { at, durationMs: took * 1_000, collected: { ...collected, rejected: rejected.all() } };
}

/** When a report or a word on health is from. @returns a sentence when that is no time, or too far from ours */
export function readTime(told: unknown, now: Date): Date | string {
  const at = toUtc(told);
  if (!at) return "expected at: when it was measured, as 2026-11-22T12:00:00Z or in seconds since 1970";
  const reason = offBy(at, now);
  if (reason === "future_time") return "at is more than 5 minutes ahead of the time here: is the agent's clock right?";
  if (reason === "past_time") return "at is more than 7 days behind the time here: is the agent's clock right?";
  return at;
}

function offBy(at: Date, now: Date): "future_time" | "past_time" | undefined {
  const ahead = at.getTime() - now.getTime();
  if (ahead > AHEAD_MS) return "future_time";
  return ahead < -BEHIND_MS ? "past_time" : undefined;
}

type Note = (reason: string, count?: number) => void;

/** Types only: whether a sample was declared, and is within its range, is for validation to say. */
function readSample(given: unknown, now: Date, note: Note): Sample[] {
  if (!isObject(given)) return none(note, "bad_sample");
  const { metric, value, labels = {}, at: told } = given;
  if (typeof metric !== "string" || metric.length > 200 || (typeof value === "object" && value !== null))
    return none(note, "bad_sample");
  if (!isObject(labels) || !Object.values(labels).every(isLabelValue)) return none(note, "bad_label");
  const at = told === undefined || told === null ? undefined : toUtc(told);
  if (told !== undefined && told !== null && at === undefined) return none(note, "bad_time");
  const off = at && offBy(at, now);
  if (off) return none(note, off);
  const named = Object.keys(labels).length > 0 ? { labels: labels as Record<string, string> } : {};
  // Casting text and truth values to numbers is validation's work as well.
  return [{ metric: ownName(metric), value: value as number, ...named, ...(at ? { at } : {}) }];
}

const isLabelValue = (value: unknown): boolean => typeof value === "string" && value.length <= MAX_LABEL_VALUE;

function readDocument(given: unknown, note: Note): Document[] {
  if (!isObject(given) || typeof given["name"] !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(given["name"]))
    return none(note, "bad_document");
  return given["body"] === undefined ? none(note, "bad_document") : [{ name: given["name"], body: given["body"] }];
}

function none(note: Note, reason: string): [] {
  note(reason);
  return [];
}

/** Counts by reason. */
function tally() {
  const counts = new Map<string, number>();
  return {
    note: (reason: string, count = 1) => {
      if (count > 0) counts.set(reason, (counts.get(reason) ?? 0) + count);
    },
    all: (): Rejection[] => [...counts].map(([reason, count]) => ({ reason, detail: "as reported", count })),
  };
}
