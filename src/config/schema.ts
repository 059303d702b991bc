import { z } from "zod";
import { cacheSettings } from "./cache.ts";
import { databaseUrlProblem } from "./database-url.ts";
import { externalPlugin } from "./external-schema.ts";
import {
  atMostOne,
  backoff,
  bytes,
  delay,
  given,
  interval,
  listen,
  retention,
  targetId,
  timeout,
  whole,
} from "./fields.ts";
import { targetSchema } from "./target-schema.ts";

/** What a token may be used for. */
const SCOPES = ["metrics", "read", "ingest", "alerts", "admin"] as const;
/** From the most to the least talkative. */
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** Shorter tokens can be guessed. */
export const MIN_TOKEN = 8;

const token = atMostOne(
  z.strictObject({
    name: z.string().min(1).max(100).describe("What the token is called in logs; unique.").meta({ example: "scrape" }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .describe(
        "What it may be used for: metrics (scrape), read (the API), ingest (report for any agent), alerts (report alerts: the webhook of Grafana and Alertmanager), admin (everything).",
      )
      .meta({ example: ["metrics"] }),
    token: z
      .string()
      .regex(new RegExp(`^[!-~]{${MIN_TOKEN},1000}$`), {
        error: `expected a token of at least ${MIN_TOKEN} characters without spaces`,
      })
      .optional()
      .describe(`The token itself; best written \${NAME}, from the environment. Kept as a hash only.`)
      .meta({ alternative: `\${SCRAPE_TOKEN}` }),
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe("A file that holds the token, relative to this file.")
      .meta({ alternative: "secrets/scrape-token" }),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, { error: "expected 64 hexadecimal digits" })
      .optional()
      .describe('The SHA-256 of the token in hexadecimal, as `printf %s "$TOKEN" | sha256sum` prints it.')
      .meta({ example: "0".repeat(64) }),
  }),
  ["token", "token_file", "sha256"],
).refine((value) => given(value, ["token", "token_file", "sha256"]).length > 0, {
  error: "expected one of token, token_file, sha256",
  when: () => true,
});

const server = z
  .strictObject({
    listen: listen()
      .prefault("127.0.0.1:9470")
      .describe("Address and port of the web server. Reads are open on loopback only; elsewhere they need a token."),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Names under which browsers may reach the server besides its own address (guards against DNS rebinding).",
      )
      .meta({ example: ["gleaner.example.org"] }),
    tokens: z
      .array(token)
      .refine(hasUniqueNames, { error: "expected every token to have a name of its own" })
      .default([])
      .describe("Bearer tokens that clients present."),
  })
  .prefault({})
  .describe("The web server.");

function hasUniqueNames(list: readonly { readonly name: string }[]): boolean {
  return new Set(list.map(({ name }) => name)).size === list.length;
}

const retentionTiers = z
  .strictObject({
    raw: retention().prefault("30d").describe("Every row as collected."),
    hourly: retention().prefault("365d").describe("Hourly aggregates."),
    daily: retention().prefault("1825d").describe("Daily aggregates."),
    system_health: retention().prefault("90d").describe("System health of kits."),
    alert_history: retention().prefault("90d").describe("Alert history."),
    compress_after: retention().prefault("7d").describe("Chunks older than this are compressed (TimescaleDB only)."),
  })
  .prefault({})
  .describe("How long data is kept.");

const spoolSettings = z
  .strictObject({
    max_bytes: bytes().prefault("2GiB").describe("Bound of what is kept on disk while the database cannot be written."),
    min_free_bytes: bytes()
      .prefault("256MiB")
      .describe("The spool counts as full when the disk has less than this left."),
    when_full: z
      .enum(["drop_oldest", "block"])
      .default("drop_oldest")
      .describe(
        "What to do then: drop_oldest gives up the oldest rows (counted) and goes on collecting; block collects nothing until there is room.",
      ),
  })
  .prefault({})
  .describe("Where rows wait while the database cannot be written: spool.db in data_dir.");

const databaseUrl = z.string().superRefine((url, context) => {
  const message = databaseUrlProblem(url);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const store = atMostOne(
  z.strictObject({
    url: databaseUrl
      .optional()
      .describe("The database: sqlite:<file> (relative to this file) or postgresql://user@host:5432/database.")
      .meta({
        unset: "sqlite:<data_dir>/gleaner.db",
        alternative: `postgresql://gleaner:\${DB_PASSWORD}@localhost:5432/gleaner`,
      }),
    url_file: z
      .string()
      .min(1)
      .optional()
      .describe("A file that holds the URL, relative to this file.")
      .meta({ alternative: "secrets/database-url" }),
    batch_size: whole(1, 10_000).default(100).describe("Rows written at once at most."),
    batch_timeout: timeout().prefault("5s").describe("Longest that a row waits for its batch to fill."),
    pool_size: whole(1, 200).default(10).describe("Connections to the database (PostgreSQL)."),
    statement_timeout: timeout()
      .prefault("8s")
      .describe("Longest that one statement may take; a database that hangs is noticed after it."),
    keep_committed: delay()
      .prefault("0s")
      .describe(
        "How long rows stay in the spool after they were written (PostgreSQL), to be written again when another server takes over: a standby may not have had the last ones. 0s: not at all.",
      ),
    spool: spoolSettings,
    retention: retentionTiers,
  }),
  ["url", "url_file"],
)
  .prefault({})
  .describe("The database.");

const scheduler = z
  .strictObject({
    interval: interval()
      .optional()
      .describe("How often jobs run whose target sets no interval, instead of what their plugin suggests.")
      .meta({ unset: "each plugin's own, mostly 60s", example: "60s" }),
    timeout: timeout()
      .prefault("30s")
      .describe("Longest that one attempt may take, where neither target nor plugin say."),
    max_concurrent: whole(1, 1_000).default(10).describe("Runs at the same time (kits have their own limit)."),
    retry_count: whole(0, 20).default(3).describe("Further attempts after a failed one."),
    retry_delay: delay().prefault("10s").describe("Wait before the first further attempt."),
    retry_backoff: z.number().min(1).max(10).default(2).describe("Factor by which each further wait grows."),
    initial_backoff: backoff().prefault("5s").describe("First pause of a target that keeps failing; it doubles."),
    max_backoff: backoff().prefault("300s").describe("Longest such pause."),
  })
  .refine(({ initial_backoff, max_backoff }) => initial_backoff <= max_backoff, {
    error: "expected initial_backoff to be at most max_backoff",
    path: ["initial_backoff"],
  })
  .prefault({})
  .describe("When and how plugins run. Each target can override interval, timeout and retries.");

const kits = z
  .strictObject({
    file: z.string().min(1).default("kits.yaml").describe("The list of kits, relative to this file."),
    poll_interval: interval().prefault("5s").describe("How often drones and signals are read."),
    status_interval: interval().prefault("30s").describe("How often the status is read."),
    timeout: timeout().prefault("10s").describe("Longest that one poll may take, its retries included."),
    max_retries: whole(0, 20).default(3).describe("Further attempts within one poll."),
    retry_delay: delay()
      .prefault("1s")
      .describe("Wait before the first further attempt; it grows by as much each time."),
    initial_backoff: backoff().prefault("5s").describe("First pause of a kit that keeps failing; it doubles."),
    max_backoff: backoff().prefault("300s").describe("Longest such pause."),
    stale_threshold: interval()
      .prefault("60s")
      .describe("A kit without new data for this long is stale; at least three intervals."),
    max_concurrent: whole(1, 65_536).default(4_096).describe("Polls at the same time."),
  })
  .refine(({ initial_backoff, max_backoff }) => initial_backoff <= max_backoff, {
    error: "expected initial_backoff to be at most max_backoff",
    path: ["initial_backoff"],
  })
  .prefault({})
  .describe("Field kits. Each kit can override intervals, timeout and retries.");

const background = z
  .strictObject({
    buffer_bytes: bytes()
      .prefault("32MiB")
      .describe(
        "Memory for the buffers of runs, about an hour of each job. Where it does not suffice, each job keeps the same share of an hour.",
      ),
    health_interval: interval().prefault("30s").describe("How often the health of every component is judged."),
  })
  .prefault({})
  .describe("What is kept in memory of the last runs, and the health of jobs and of gleaner's own parts.");

/** gleaner.yaml. The file itself is optional, and so is everything in it. Defaults are here and nowhere else. */
export const settingsSchema = z.strictObject({
  server,
  data_dir: z.string().min(1).default("./data").describe("Where gleaner keeps its files, relative to this file."),
  store,
  cache: cacheSettings,
  scheduler,
  kits,
  background,
  targets: z
    .record(targetId(), targetSchema)
    .default({})
    .describe(
      "What to collect from, by id. Plugins that are on by default need no entry here; one named after such a plugin changes it.",
    ),
  external_plugins: z
    .array(externalPlugin)
    .max(100)
    .default([])
    .describe(
      "Plugins that do not come with gleaner, each in a process of its own (docs/writing-plugins.md). Only what is named here is loaded.",
    ),
  log: z
    .strictObject({ level: z.enum(LOG_LEVELS).default("info").describe("How much is logged.") })
    .prefault({})
    .describe("The log, on standard error."),
  telemetry: z
    .strictObject({
      otel: z
        .boolean()
        .default(false)
        .describe("Trace every collection with OpenTelemetry; OTEL_* variables say where to."),
    })
    .prefault({})
    .describe("Telemetry about gleaner itself."),
  environment: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Where this gleaner runs: the label `env` of gleaner_target_info, and the column `environment` of plugin_executions.",
    )
    .meta({ example: "production" }),
});

/** gleaner.yaml as validated: defaults filled in, durations in milliseconds. Still with plain tokens. */
export type Settings = z.output<typeof settingsSchema>;
/** One entry of `targets`. */
export type TargetSettings = Settings["targets"][string];
