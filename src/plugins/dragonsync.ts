import { z } from "zod";
import { hours, seconds } from "../model/duration.ts";
import { type Context, definePlugin, type Target } from "../model/plugin.ts";
import { CollectError, NothingHere } from "../model/run.ts";
import type { Collected } from "../model/sample.ts";
import { readAbout } from "./dragonsync/about.ts";
import { KIT_DISK, KIT_MEMORY, KIT_TEMPERATURE } from "./dragonsync/alerts.ts";
import { type Address, ask, bodyOf } from "./dragonsync/http.ts";
import { entriesOf, isObject, shapeOf } from "./dragonsync/json.ts";
import { type Parsed, parseBody } from "./dragonsync/parse.ts";
import { seenIn, skipAfter } from "./dragonsync/seen.ts";
import { readSignals } from "./dragonsync/signals.ts";
import { isStatus, readStatus } from "./dragonsync/status.ts";
import { count, type Tally } from "./dragonsync/tally.ts";
import { type Harvest, type Listing, readTracks } from "./dragonsync/tracks.ts";

/** The base URL of a kit's API. Its text never holds credentials: kits have none, and it is shown and stored. */
const apiUrl = z
  .url({ protocol: /^https?$/, error: "expected an http or https URL such as http://192.168.1.20:8088" })
  .refine((url) => !URL.canParse(url) || isPlain(new URL(url)), {
    error: "expected a URL without user, password, query and fragment",
  })
  .describe("Base URL of the kit's DragonSync HTTP API, such as http://192.168.1.20:8088; a path prefix is kept");

function isPlain(url: URL): boolean {
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** What a kit over https is held to instead of the system's certificates. */
const ca = z
  .string()
  .optional()
  .describe("Certificates (PEM) that a kit over https is held to, instead of the system's; kits.yaml names the file");

type Kit = Target<Address>;

/** Entries read of one listing; a kit at its caps lists some 300, and a hostile one must not fill the database at a poll. */
const MAX_ENTRIES = 2_000;

/**
 * A drone-detection field kit that runs DragonSync. Its answers repeat every observation for a minute or two, may be
 * invalid JSON, and say "unknown" in a dozen ways; the folder of the same name holds one file for each of these.
 */
export const dragonsync = definePlugin({
  id: "dragonsync",
  title: "DragonSync kit",
  summary: "Drones, aircraft, signals and system health of a field kit, over its DragonSync HTTP API",
  category: "field",
  version: "1.0.0",
  enabledByDefault: false,
  health: "kit",
  config: z.strictObject({ api_url: apiUrl, ca }),
  metrics: {
    kit_drones: { help: "Tracks the kit lists now, by type", labels: ["track_type"], maxSeries: 2 },
    kit_signals: { help: "Signals the kit lists now, by type", labels: ["signal_type"], maxSeries: 24 },
    kit_cpu_usage_ratio: { help: "CPU usage of the kit, 0 to 1", unit: "ratio" },
    kit_memory_used_ratio: { help: "Memory in use on the kit, 0 to 1", unit: "ratio", alert: KIT_MEMORY },
    kit_disk_used_ratio: { help: "Disk space in use on the kit, 0 to 1", unit: "ratio", alert: KIT_DISK },
    kit_uptime_seconds: { help: "Time since the kit booted", unit: "seconds" },
    kit_temperature_celsius: {
      help: "Temperature of the kit's CPU and of its radio's two chips",
      unit: "celsius",
      labels: ["sensor"],
      maxSeries: 3,
      alert: KIT_TEMPERATURE,
    },
    kit_latitude_degrees: { help: "Latitude of the kit; absent without a position", unit: "degrees" },
    kit_longitude_degrees: { help: "Longitude of the kit; absent without a position", unit: "degrees" },
    kit_gps_fix: { help: "1 when the kit has a GPS fix; 0 also with a valid static position" },
  },
  jobs: {
    drones: {
      summary: "Drones and aircraft the kit hears",
      every: seconds(5),
      async collect(kit: Kit, context) {
        return harvest(kit, context, "drones", await body(kit, context, "/drones"), readTracks);
      },
    },
    signals: {
      summary: "Video and telemetry radio signals the kit hears",
      every: seconds(5),
      async collect(kit: Kit, context) {
        const response = await ask(context, kit.config, "/signals");
        // DragonSync before 2026-01-02: no such path. A proxy's 404 has a page.
        if (response.status === 404 && response.text === "") throw new NothingHere("this kit has no /signals");
        const answer = bodyOf(response, "/signals", context.now());
        return harvest(kit, context, "signals", answer, (listing) => readSignals(listing, typesIn(context.state)));
      },
    },
    status: {
      summary: "The kit's own health and position, and what it calls itself",
      every: seconds(30),
      async collect(kit: Kit, context) {
        const response = await ask(context, kit.config, "/status");
        // Up to 30 s after boot, until the kit's monitor has reported once; /drones answers already. A kit never says when
        // to come back: who does is something in front of it.
        if (response.status === 503 && response.headers["retry-after"] === undefined)
          throw new NothingHere("status not yet available");
        const { value, notNumbers } = parseBody(bodyOf(response, "/status", context.now()), "GET /status");
        if (!isObject(value) || !isStatus(value)) {
          throw new CollectError("bad_data", `GET /status: expected a kit's status, got ${shapeOf(value)}`);
        }
        const skip = skipAfter(seenIn(context.state, "status"));
        const collected = readStatus(value, kit.id, context.now(), tallyOf(notNumbers), skip);
        context.state.set("status", skip.listed);
        return collected;
      },
    },
    about: {
      summary: "The kit's settings and software revision, kept when they change",
      every: hours(1),
      collect: (kit: Kit, context) => readAbout(context, kit.config),
    },
  },
});

async function body(kit: Kit, context: Context, path: string): Promise<string> {
  return bodyOf(await ask(context, kit.config, path), path, context.now());
}

/** Reads a listing and remembers what it listed, which is how the next one tells the unchanged. */
function harvest<M extends string>(
  kit: Kit,
  context: Context,
  job: "drones" | "signals",
  answer: string,
  read: (listing: Listing) => Harvest<M>,
): Collected<M> {
  const what = `GET /${job}`;
  const { value, notNumbers }: Parsed = parseBody(answer, what);
  const tally = tallyOf(notNumbers);
  const entries = entriesOf(value, job, what);
  if (entries.length > MAX_ENTRIES) count(tally, "too_many", what, entries.length - MAX_ENTRIES);
  const { collected, listed } = read({
    entries: entries.slice(0, MAX_ENTRIES),
    kitId: kit.id,
    now: context.now(),
    previous: seenIn(context.state, job),
    tally,
  });
  context.state.set(job, listed);
  return collected;
}

function tallyOf(notNumbers: number): Tally {
  const tally: Tally = new Map();
  if (notNumbers > 0) count(tally, "not_a_number", "NaN or Infinity in the body", notNumbers);
  return tally;
}

/** The signal types this kit has sent so far, for the cap on a label's values. */
function typesIn(state: Map<string, unknown>): Set<string> {
  const types = state.get("signal_types");
  if (types instanceof Set) return types;
  const none = new Set<string>();
  state.set("signal_types", none);
  return none;
}
