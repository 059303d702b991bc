import { distortList, distortTexts, kitClock, toldProfile } from "./distort.ts";
import { type Fault, type FaultMode, HEALTHY } from "./faults.ts";
import { deepBody, GARBAGE, POLLUTION, PORTAL, redirect } from "./hostile.ts";
import type { Observation, RowKey } from "./observation.ts";
import type { Pace } from "./pace.ts";
import { configBody, type Route, UNAVAILABLE, UPDATE_CHECK } from "./routes.ts";
import { type Answer, json, NOT_FOUND, RATE_LIMITED } from "./wire.ts";
import { type KitProfile, type Population, signalsAt, statusAt, tracksAt } from "./world.ts";

/** A row as it is served, maybe many times. */
export interface Row {
  readonly key: RowKey;
  /** JSON, kept where the row will be served again. */
  text?: string;
  /** Whether an answer with this row was completely sent. */
  offered: boolean;
}

/** An answer and the rows it carries. */
export interface Served {
  readonly answer: Answer;
  readonly rows: readonly Row[];
}

/** What the kits of one simulator share. */
export interface Surroundings {
  readonly population: Population;
  readonly pace: Pace;
  readonly gzipBomb: () => Answer;
  /** Where the `redirect` fault sends clients. */
  readonly elsewhere: number;
}

/** A kit and what it remembers between requests. */
export interface Kit {
  readonly profile: KitProfile;
  readonly surroundings: Surroundings;
  port: number;
  fault: Fault;
  /** When the fault began (ms). */
  since: number;
  /** Rows listed last, by path and id. */
  readonly rows: Map<Route, ReadonlyMap<string, Row>>;
  /** Answers of the current tick, by path. */
  readonly answers: Map<Route, { readonly tick: number; readonly served: Served }>;
}

/** A healthy kit that has not been asked yet. */
export function createKit(profile: KitProfile, surroundings: Surroundings): Kit {
  const memory = { rows: new Map(), answers: new Map() };
  return { profile, surroundings, port: 0, fault: HEALTHY, since: 0, ...memory };
}

/** Changes how a kit behaves from `now` (ms) on. */
export function changeFault(kit: Kit, fault: Fault, now: number): void {
  kit.fault = fault;
  kit.since = now;
  kit.answers.clear();
  // The rows stay, so that what was offered is not offered again; their text may change.
  for (const list of kit.rows.values()) for (const row of list.values()) delete row.text;
}

/** What the kit answers to GET `path` at `now` (ms). */
export function answerTo(kit: Kit, route: Route | undefined, path: string, now: number): Served {
  const { mode } = kit.fault;
  if (mode === "rate_limited") return bare(RATE_LIMITED);
  if (mode === "redirect") return bare(redirect(kit.surroundings.elsewhere, path));
  if (!route || (mode === "no_signals" && route === "/signals")) return bare(NOT_FOUND);
  const broken = BROKEN[mode]?.(kit, route, now);
  return broken ? bare(broken) : working(kit, route, now);
}

const bare = (answer: Answer): Served => ({ answer, rows: [] });
const failing = (route: Route, status: 500 | 503) => json(status, `{"error": "${UNAVAILABLE[route][status]}"}`);

/** Faults that replace whatever the kit would say; undefined where it says it all the same. */
const BROKEN: Partial<Record<FaultMode, (kit: Kit, route: Route, now: number) => Answer | undefined>> = {
  http_503: (_, route) => failing(route, 503),
  http_500: (_, route) => failing(route, 500),
  booting: (kit, route, now) => (route === "/status" && isBooting(kit, now) ? failing(route, 503) : undefined),
  garbage: () => json(200, GARBAGE),
  html: () => PORTAL,
  empty_body: () => json(200, ""),
  gzip_bomb: (kit) => kit.surroundings.gzipBomb(),
  deep: (_, route) => json(200, deepBody(route)),
};

function isBooting(kit: Kit, now: number): boolean {
  return kit.fault.value === undefined || now - kit.since < kit.fault.value * 1000;
}

function working(kit: Kit, route: Route, now: number): Served {
  if (route === "/config") return bare(json(200, configBody(kit.port)));
  if (route === "/update/check") return bare(json(200, UPDATE_CHECK));
  const tick = Math.floor(now / kit.surroundings.pace.tick);
  const known = kit.answers.get(route);
  if (known?.tick === tick) return known.served;
  const served = route === "/status" ? status(kit, now) : list(kit, route, now);
  kit.answers.set(route, { tick, served });
  return served;
}

function status(kit: Kit, now: number): Served {
  const { mode } = kit.fault;
  const at = kitClock(mode, mode === "frozen_status" ? kit.since : now);
  const rows = remember(kit, "/status", [statusAt(toldProfile(mode, kit.profile), at)]);
  return { answer: json(200, rows[0]?.text ?? ""), rows: rows.map(({ row }) => row) };
}

function list(kit: Kit, route: "/drones" | "/signals", now: number): Served {
  const { population, pace } = kit.surroundings;
  const { mode } = kit.fault;
  const [profile, at] = [toldProfile(mode, kit.profile), kitClock(mode, now)];
  const listed = (route === "/drones" ? tracksAt : signalsAt)(profile, population, pace, at);
  const rows = remember(kit, route, distortList(mode, profile, pace, at, listed));
  const texts = distortTexts(
    mode,
    rows.map(({ text }) => text),
  );
  const extra = mode === "proto" ? `, ${POLLUTION}` : "";
  const body = `{"${route.slice(1)}": [${texts.join(", ")}]${extra}}`;
  return { answer: json(200, body), rows: rows.map(({ row }) => row) };
}

/** Finds the rows that were listed before, so that an observation is written once and offered once. */
function remember(kit: Kit, route: Route, observations: readonly Observation[]): { row: Row; text: string }[] {
  const before = kit.rows.get(route);
  const after = new Map<string, Row>();
  const rows = observations.map((observation) => {
    const known = before?.get(observation.id);
    const row: Row = known?.key.time === observation.key.time ? known : { key: observation.key, offered: false };
    after.set(observation.id, row);
    const text = row.text ?? observation.encode();
    // With fresh observations none is served in a second tick, and the text would only take memory.
    if (!kit.surroundings.pace.fresh) row.text = text;
    return { row, text };
  });
  kit.rows.set(route, after);
  return rows;
}
