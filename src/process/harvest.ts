import type { Collected, Document, Rejection, Row } from "../model/sample.ts";

/** Rows of one run: a kit at its own caps lists three hundred, and 8 MB of the shortest entries come to fewer. */
const MAX_ROWS = 100_000;
/** A document as JSON (characters); what a kit may answer with has as many bytes at most. */
const MAX_DOCUMENT = 8 * 1024 * 1024;

/** Rows and documents as a store can take them, and the count of those that are none. */
export interface Harvest {
  readonly rows: readonly Row[];
  readonly documents: readonly Document[];
  readonly rejected: readonly Rejection[];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

function isRow(row: unknown): row is Row {
  if (!isObject(row)) return false;
  const { table, at, values } = row;
  return typeof table === "string" && at instanceof Date && !Number.isNaN(at.getTime()) && isObject(values);
}

function isDocument(document: unknown): document is Document {
  if (!isObject(document) || typeof document["name"] !== "string") return false;
  try {
    return (JSON.stringify(document["body"]) ?? "").length <= MAX_DOCUMENT;
  } catch {
    // Cycles, BigInts, nested too deep.
    return false;
  }
}

/** Tells rows and documents from what a faulty plugin may return in their place. One that is bad never costs another. */
export function soundHarvest({ rows = [], documents = [] }: Pick<Collected, "rows" | "documents">): Harvest {
  const sound = { rows: rows.filter(isRow), documents: documents.filter(isDocument) };
  const kept = sound.rows.slice(0, MAX_ROWS);
  const rejected = [
    { reason: "bad_row", detail: "not a row", count: rows.length - sound.rows.length },
    { reason: "too_many_rows", detail: `more than ${MAX_ROWS} rows`, count: sound.rows.length - kept.length },
    { reason: "bad_document", detail: "no JSON, or too long", count: documents.length - sound.documents.length },
  ];
  return { rows: kept, documents: sound.documents, rejected: rejected.filter(({ count }) => count > 0) };
}
