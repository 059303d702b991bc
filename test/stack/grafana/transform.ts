import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import { type Field, type Frame, lengthOf } from "./frames.ts";

/** What came of transformations, and the names in their settings that found nothing. */
export interface Transformed {
  readonly frames: readonly Frame[];
  readonly missing: readonly string[];
}

type Step = (frames: readonly Frame[], options: Readonly<Record<string, unknown>>) => Transformed;

/** Grafana's transformations, as far as dashboards here use them. */
const STEPS: Readonly<Record<string, Step>> = {
  joinByField: (frames, options) => joinByField(frames, String(options["byField"])),
  merge: (frames) => merge(frames),
  organize: (frames, options) => organize(frames, options),
  filterFieldsByName: (frames, options) => filterFields(frames, options),
  sortBy: (frames, options) => sortBy(frames, options),
  limit: (frames, { limitField }) => ({
    frames: frames.map((frame) => pick(frame, [...Array(Math.min(lengthOf(frame), Number(limitField))).keys()])),
    missing: [],
  }),
  rowsToFields: (frames, { mappings }) => ({
    frames: frames.map((frame) => rowsToFields(frame, mappings)),
    missing: [],
  }),
  labelsToFields: (frames) => ({ frames: frames.map(labelsToFields), missing: [] }),
};

/** Carries out a panel's transformations. @throws {Error} at one that is not known here */
export function transform(panel: Panel, frames: readonly Frame[]): Transformed {
  let [current, missing]: [readonly Frame[], string[]] = [frames, []];
  for (const { id, options, disabled } of panel.transformations ?? []) {
    if (disabled) continue;
    const step = STEPS[id];
    if (!step) throw new Error(`the transformation ${id} is not known here`);
    const done = step(current, options);
    current = done.frames;
    missing = [...missing, ...done.missing.map((name) => `${id}: ${name}`)];
  }
  return { frames: current, missing };
}

const pick = (frame: Frame, rows: readonly number[]): Frame => ({
  ...frame,
  fields: frame.fields.map((field) => ({ ...field, values: rows.map((row) => field.values[row]) })),
});

const namesOf = (frames: readonly Frame[]) => new Set(frames.flatMap(({ fields }) => fields.map(({ name }) => name)));

/** Fields by name in their first frame; every value of the field that is joined by becomes a row. */
function joinByField(frames: readonly Frame[], by: string): Transformed {
  const keyed = frames.map((frame) => ({ frame, key: frame.fields.find(({ name }) => name === by) }));
  const missing = keyed.filter(({ key }) => !key).map(({ frame }) => `${frame.refId} has no field ${by}`);
  const keys = [...new Set(keyed.flatMap(({ key }) => key?.values ?? []))];
  const columns = keyed.flatMap(({ frame, key }) => {
    const rowOf = new Map(key?.values.map((value, row) => [value, row]));
    return frame.fields
      .filter((field) => field !== key)
      .map((field) => ({ ...field, values: keys.map((value) => field.values[rowOf.get(value) ?? -1] ?? null) }));
  });
  const key: Field = { name: by, type: keyed.find(({ key }) => key)?.key?.type ?? "string", labels: {}, values: keys };
  return { frames: [{ refId: "joined", fields: [key, ...columns] }], missing };
}

/** Rows of all frames in one; rows that agree in the fields they share become one. */
function merge(frames: readonly Frame[]): Transformed {
  const names = [...namesOf(frames)];
  const shared = names.filter((name) => frames.every(({ fields }) => fields.some((field) => field.name === name)));
  const rows = new Map<string, Map<string, unknown>>();
  for (const frame of frames)
    for (let row = 0; row < lengthOf(frame); row++) {
      const values = new Map(frame.fields.map(({ name, values }) => [name, values[row]]));
      const key = JSON.stringify(shared.map((name) => values.get(name)));
      rows.set(key, new Map([...(rows.get(key) ?? []), ...values]));
    }
  const typed = (name: string) => frames.flatMap(({ fields }) => fields).find((field) => field.name === name);
  const fields = names.map((name): Field => {
    const { type = "string" } = typed(name) ?? {};
    return { name, type, labels: {}, values: [...rows.values()].map((row) => row.get(name) ?? null) };
  });
  return { frames: [{ refId: "merged", fields }], missing: [] };
}

function organize(frames: readonly Frame[], options: Readonly<Record<string, unknown>>): Transformed {
  const map = (key: string) => (options[key] ?? {}) as Readonly<Record<string, unknown>>;
  const [excluded, indices, renames] = [map("excludeByName"), map("indexByName"), map("renameByName")];
  const names = namesOf(frames);
  const missing = Object.keys({ ...excluded, ...renames }).filter((name) => !names.has(name));
  const place = ({ name }: Field) => Number(indices[name] ?? Number.MAX_SAFE_INTEGER);
  const organized = frames.map(({ refId, fields }) => ({
    refId,
    fields: fields
      .filter(({ name }) => excluded[name] !== true)
      .toSorted((a, b) => place(a) - place(b))
      .map((field) => ({ ...field, name: String(renames[field.name] || field.name) })),
  }));
  return { frames: organized, missing };
}

function filterFields(frames: readonly Frame[], options: Readonly<Record<string, unknown>>): Transformed {
  const { include, exclude } = options as Readonly<Record<string, { names?: string[]; pattern?: string } | undefined>>;
  const names = namesOf(frames);
  const has = (which: typeof include, name: string) =>
    which?.names?.includes(name) || (which?.pattern !== undefined && new RegExp(which.pattern).test(name));
  const kept = ({ name }: Field) => (include ? has(include, name) : true) && !has(exclude, name);
  const missing = [...(include?.names ?? []), ...(exclude?.names ?? [])].filter((name) => !names.has(name));
  return { frames: frames.map(({ refId, fields }) => ({ refId, fields: fields.filter(kept) })), missing };
}

function sortBy(frames: readonly Frame[], options: Readonly<Record<string, unknown>>): Transformed {
  const [{ field = "", desc = false } = {}] = (options["sort"] ?? []) as { field?: string; desc?: boolean }[];
  const sorted = frames.map((frame) => {
    const by = frame.fields.find(({ name }) => name === field);
    if (!by) return frame;
    const compare = (a: number, b: number) => order(by.values[a], by.values[b]) * (desc ? -1 : 1);
    return pick(frame, [...by.values.keys()].sort(compare));
  });
  return { frames: sorted, missing: namesOf(frames).has(field) ? [] : [field] };
}

const order = (a: unknown, b: unknown): number =>
  typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));

/** Without mappings: the first text is a field's name, the first number its value. */
function rowsToFields(frame: Frame, mappings: unknown): Frame {
  if (Array.isArray(mappings) && mappings.length > 0) throw new Error("mappings of rowsToFields are not known here");
  const names = frame.fields.find(({ type }) => type === "string");
  const numbers = frame.fields.find(({ type }) => type === "number");
  const fields = (names?.values ?? []).map(
    (name, row): Field => ({ name: String(name), type: "number", labels: {}, values: [numbers?.values[row]] }),
  );
  return { refId: frame.refId, fields };
}

function labelsToFields({ refId, fields }: Frame): Frame {
  const labels = fields.flatMap((field) => Object.entries(field.labels));
  const rows = fields[0]?.values ?? [];
  const added = labels.map(
    ([name, value]): Field => ({ name, type: "string", labels: {}, values: rows.map(() => value) }),
  );
  return { refId, fields: [...fields.map((field) => ({ ...field, labels: {} })), ...added] };
}
