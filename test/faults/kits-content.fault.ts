import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { eventually } from "../support/eventually.ts";
import { ms, type Reader } from "../support/rows.ts";
import { kitState, type Series } from "../support/scrape.ts";
import { startBeside } from "./support/beside.ts";
import { fault } from "./support/fault.ts";
import { rawKits, type Speak, say, track, wellBehaved } from "./support/raw-kit.ts";

const rejected = (series: Series, reason: string) => series.get(`gleaner_rows_rejected_total{reason="${reason}"}`) ?? 0;

const rowsOf = (db: Reader, kit: string) =>
  db.query(`select * from drones where kit_id = '${kit}' order by received_at`);

/** Numbers as kits and worse write them, by column: what is sent, what is stored. */
const NUMBERS: Readonly<Record<string, readonly [sent: string, stored: unknown]>> = {
  lat: ['"12"', 12],
  lon: ["1e999", null],
  alt: ["-0", 0],
  height: ["9223372036854775808", 2 ** 63],
  speed: ["null", null],
  vspeed: ["true", null],
  direction: ['"NaN"', null],
  pressure_altitude: ["1e-320", 1e-320],
  pilot_lat: ["NaN", null],
  pilot_lon: ["-Infinity", null],
  home_lat: ["[1]", null],
  home_lon: ['"0x10"', 16],
  speed_multiplier: ['""', null],
  rssi: ['"-71"', -71],
  runtime: ["9223372036854775808", null],
  index: ["12345678901234567890", null],
  freq: ['"5,8 GHz"', null],
};

fault("K7", "numbers that are none, or too large, or text", { quick: false }, async () => {
  const fields = Object.entries(NUMBERS).map(([key, [sent]]) => `"${key}": ${sent}`);
  const odd = () => `{"id": "odd", "last_update_time": ${Date.now() / 1_000}, ${fields.join(", ")}}`;
  const body = () => `{"drones": [${JSON.stringify(track("fine"))}, ${odd()}]}`;
  await using kits = await rawKits({ numbers: wellBehaved({ drones: body }) });
  await using it = await startBeside({ faults: ["nan", "nan"], kits: kits.list });
  await it.watch(6_000);
  const series = await it.series();
  for (const id of [...it.bad, "numbers"]) assert.equal(kitState(series, id), "online", id);
  for (const reason of ["not_a_number", "out_of_range", "wrong_type"]) assert.ok(rejected(series, reason) > 0, reason);
  return await it.finish(async (db) => {
    const rows = await rowsOf(db, "numbers");
    const [fine, others] = [
      rows.filter((row) => row["drone_id"] === "fine"),
      rows.filter((row) => row["drone_id"] === "odd"),
    ];
    assert.ok(fine.length >= 4 && fine.length === others.length, "one bad value never costs a row");
    for (const row of others) {
      for (const [key, [, stored]] of Object.entries(NUMBERS)) {
        const column = key === "index" ? "message_index" : key;
        assert.ok(row[column] === stored, `${key} is ${row[column]}, expected ${stored}`);
      }
      const extra = JSON.parse(String(row["extra"])) as object;
      for (const key of ["vspeed", "home_lat", "runtime", "index", "freq"])
        assert.ok(key in extra, `${key} is kept as sent`);
    }
  });
});

/** Says on standard error what an object has that nothing was written to; the signal is one gleaner has no use for. */
const PROBE = `process.on("SIGWINCH", () => {
  const strange = { polluted: typeof {}.polluted, x: typeof {}.x, list: typeof [].polluted, text: typeof "".polluted };
  process.stderr.write(JSON.stringify({ strange }) + "\\n");
});`;
const INHERITED = ["constructor", "toString", "hasOwnProperty", "valueOf"];

fault("K9", "__proto__, constructor and their like as keys, ids of tracks and of kits", { quick: true }, async () => {
  const keys = `"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1, "x": 1}}, "prototype": {"x": 1}`;
  const entry = (id: string) => `{${keys}, "rid": {${keys}}, ${JSON.stringify(track(id)).slice(1)}`;
  const speaker: Speak = (socket, path, n) => {
    if (path === "/config") return say(socket, `{${keys}}`);
    if (path === "/signals") {
      const signal = `{${keys}, "uid": "__proto__", "signal_type": "constructor", "center_hz": 5.8e9, "observed_at": ${Date.now() / 1e3}}`;
      return say(socket, `{${keys}, "signals": [${signal}]}`);
    }
    const drones = () => `{${keys}, "drones": [${["__proto__", ...INHERITED].map(entry).join(", ")}]}`;
    wellBehaved({ drones, uid: () => "__proto__" })(socket, path, n);
  };
  await using kits = await rawKits(Object.fromEntries(INHERITED.map((id) => [id, speaker])));
  await using it = await startBeside({
    ...{ faults: ["proto", "proto"], kits: kits.list },
    prepare: (folder) => void folder.write("probe.mjs", PROBE),
    env: { NODE_OPTIONS: "--import=./probe.mjs" },
  });
  await it.watch(6_000);
  const series = await it.series();
  for (const id of [...it.bad, ...INHERITED]) {
    assert.equal(kitState(series, id), "online", id);
    assert.ok((series.get(`gleaner_kit_drones{kit="${id}",track_type="drone"}`) ?? 0) >= 5, id);
  }
  it.gleaner.signal("SIGWINCH");
  await eventually(() => {
    const strange = it.gleaner.log().find((line) => "strange" in line)?.["strange"];
    assert.deepEqual(strange, { polluted: "undefined", x: "undefined", list: "undefined", text: "undefined" });
  });
  return await it.finish(async (db) => {
    for (const id of INHERITED) {
      const ids = await db.query(`select drone_id, count(*) as n from drones where kit_id = '${id}' group by drone_id`);
      assert.deepEqual(ids.map((row) => row["drone_id"]).sort(), ["__proto__", ...INHERITED].sort(), id);
      assert.equal(new Set(ids.map((row) => row["n"])).size, 1, "each as often as the other");
      const [signal] = await db.query(`select count(*) as n, min(uid) as uid from signals where kit_id = '${id}'`);
      assert.ok(Number(signal?.["n"]) > 3 && signal?.["uid"] === "__proto__", id);
    }
  });
});

const SEED = 10;
/** What three kits may cost that send megabytes each second, which is five times as often as they would be asked (MB). */
const HEAVY_MB = 300;
const FIELDS = [
  "id",
  "track_type",
  "lat",
  "lon",
  "alt",
  "speed",
  "rid",
  "last_update_time",
  "observed_at",
  "rssi",
  "freq",
];

/** Lists of what might be there instead of tracks. */
function nonsense(polls: number): unknown[][] {
  const json = fc.jsonValue({ maxDepth: 4 });
  const entry = fc.oneof(json, fc.dictionary(fc.constantFrom(...FIELDS), json), fc.dictionary(fc.string(), json));
  return fc.sample(fc.array(entry, { maxLength: 30 }), { numRuns: polls, seed: SEED });
}

fault("K10", `wrong types and 100,000 keys (seed ${SEED})`, { quick: false }, async () => {
  const lists = nonsense(200);
  const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key-${n}`, n]));
  const sent: string[] = [];
  const among = (kit: string, rubbish: (n: number) => readonly unknown[]): Speak => {
    return (socket, path, n) => {
      if (path !== "/drones") return say(socket, JSON.stringify(rubbish(n)));
      const id = `${kit}-${n}`;
      socket.on("finish", () => sent.push(id));
      say(socket, JSON.stringify({ drones: [...rubbish(n), track(id), ...rubbish(n + 1)] }));
    };
  };
  await using kits = await rawKits({
    fuzz: among("fuzz", (n) => lists[n % lists.length] ?? []),
    fuzzier: among("fuzzier", (n) => lists[(n * 7 + 1) % lists.length] ?? []),
    keys: wellBehaved({ drones: (n) => [{ ...track(`wide-${n}`), ...keys }] }),
    "only-keys": (socket) => say(socket, JSON.stringify(keys)),
    "many-rows": wellBehaved({
      drones: () => {
        const last_update_time = Date.now() / 1_000;
        return Array.from({ length: 12_000 }, (_, i) => ({ id: `many-${i}`, last_update_time }));
      },
    }),
  });
  await using it = await startBeside({ faults: ["wrong_types", "wrong_types"], kits: kits.list });
  await it.watch(8_000);
  const series = await it.series();
  for (const reason of ["wrong_type", "not_an_object", "no_id", "extra_too_large", "too_many"])
    assert.ok(rejected(series, reason) > 0, reason);
  for (const id of it.bad) assert.equal(kitState(series, id), "online", id);
  const figures = await it.finish(async (db) => {
    const ids = new Set((await db.query("select drone_id from drones")).map((row) => String(row["drone_id"])));
    assert.ok(sent.length > 10);
    assert.deepEqual(
      sent.filter((id) => !ids.has(id)),
      [],
      "tracks among the rubbish are kept",
    );
  });
  const { peakRssMb = Number.POSITIVE_INFINITY } = figures;
  assert.ok(peakRssMb <= it.baseRssMb + HEAVY_MB, `${it.baseRssMb} MB became ${peakRssMb} MB`);
  return { ...figures, note: `${it.baseRssMb} MB before` };
});

fault("K11", "one time, two contents: the first is kept", { quick: false }, async () => {
  const [begun, first] = [Date.now() / 1_000, { alt: -1 }];
  await using kits = await rawKits({
    // Another content in each answer.
    changing: wellBehaved({
      drones: (n) => {
        if (first.alt < 0) first.alt = n + 1;
        return [track("changing", { alt: n + 1, last_update_time: begun })];
      },
    }),
    // Both in one.
    twins: wellBehaved({
      drones: () => {
        const last_update_time = Date.now() / 1_000;
        const twin = (alt: number) => track("twin", { alt, last_update_time });
        return [twin(1), twin(1), twin(2)];
      },
    }),
    // The other one comes back after it was gone.
    back: wellBehaved({
      drones: (n) => (n % 8 < 4 ? [track("back", { alt: n < 8 ? 1 : 2, last_update_time: begun })] : []),
    }),
  });
  await using it = await startBeside({ faults: ["duplicate_ids", "duplicate_ids"], kits: kits.list });
  await it.watch(8_000);
  const conflicts = rejected(await it.series(), "conflict");
  assert.ok(conflicts > 0);
  const figures = await it.finish(async (db) => {
    const alts = async (kit: string) => (await rowsOf(db, kit)).map((row) => row["alt"]);
    assert.deepEqual(await alts("changing"), [first.alt]);
    assert.deepEqual(await alts("back"), [1]);
    const twins = await alts("twins");
    assert.ok(twins.length > 4 && twins.every((alt) => alt === 1), String(twins));
    const altered = await db.query("select count(*) as n from drones where alt = 1234.5");
    assert.deepEqual(altered, [{ n: 0 }], "the simulated kits' third copy");
  });
  return { ...figures, note: `${conflicts} conflicts counted` };
});

const DAY = 86_400;

fault("K12", "clocks a day behind to a year ahead, of 1970, in ms, and absurd", { quick: true }, async () => {
  const begun = Date.now();
  const clocks: Readonly<
    Record<string, { readonly told: () => number; readonly skew?: number; readonly reason?: string }>
  > = {
    "day-behind": { told: () => Date.now() / 1e3 - DAY + 60, skew: -DAY + 60 },
    "week-behind": { told: () => Date.now() / 1e3 - 7 * DAY, skew: -7 * DAY, reason: "past_time" },
    "minutes-ahead": { told: () => Date.now() / 1e3 + 360, skew: 360, reason: "future_time" },
    "year-ahead": { told: () => Date.now() / 1e3 + 365 * DAY, skew: 365 * DAY, reason: "future_time" },
    milliseconds: { told: () => Date.now(), skew: 0 },
    "since-boot": { told: () => (Date.now() - begun) / 1e3 + 300, reason: "no_time" },
    "two-years": { told: () => Date.now() / 1e3 + 730 * DAY, reason: "clock_off" },
    "year-2001": { told: () => 1e9 + (Date.now() - begun) / 1e3, reason: "clock_off" },
    absurd: { told: () => 1e300, reason: "no_time" },
  };
  const speakers = Object.entries(clocks).map(([id, { told }]): [string, Speak] => [
    id,
    (socket, path, n) =>
      path === "/status"
        ? say(socket, JSON.stringify({ uid: id, cpu_usage: 5, last_update_time: told() }))
        : wellBehaved({ drones: () => [track(id, { last_update_time: told() })] })(socket, path, n),
  ]);
  await using kits = await rawKits(Object.fromEntries(speakers));
  await using it = await startBeside({ faults: ["clock_ahead", "clock_behind"], kits: kits.list });
  await it.watch(8_000);
  const series = await it.series();
  for (const id of [...it.bad, ...Object.keys(clocks)]) assert.equal(kitState(series, id), "online", id);
  for (const { reason = "future_time" } of Object.values(clocks)) assert.ok(rejected(series, reason) > 0, reason);
  return await it.finish(async (db) => {
    for (const [id, { skew }] of Object.entries(clocks)) {
      for (const row of await rowsOf(db, id)) {
        const seconds = (ms(row["time"]) - ms(row["received_at"])) / 1e3;
        assert.ok(Math.abs(seconds - (skew ?? 0)) < 3, `${id}: stored ${seconds} s from when it was received`);
        const extra = JSON.parse(String(row["extra"])) as Record<string, unknown> | null;
        assert.equal(extra !== null && "last_update_time" in extra, skew === undefined, `${id}: the kit's own time`);
      }
      const [{ n } = { n: 0 }] = await db.query(`select count(*) as n from drones where kit_id = '${id}'`);
      assert.ok(id === "absurd" || Number(n) >= 5, `${id} has ${n} rows`);
      const health = await db.query(`select * from system_health where kit_id = '${id}'`);
      assert.ok(health.length > 0, id);
    }
  });
});

fault("K13", "kits that change their id, tell another's, and swap", { quick: false }, async () => {
  let isSwapped = false;
  const drones = (kit: string) => () => [track(`of-${kit}`)];
  const told = (own: string, other: string) => () => (isSwapped ? other : own);
  await using kits = await rawKits({
    left: wellBehaved({ drones: drones("left"), uid: told("wardragon-L", "wardragon-R") }),
    right: wellBehaved({ drones: drones("right"), uid: told("wardragon-R", "wardragon-L") }),
    one: wellBehaved({ drones: drones("one"), uid: () => "wardragon-SAME" }),
    other: wellBehaved({ drones: drones("other"), uid: () => "wardragon-SAME" }),
    // Configured without an id, it tells that of a configured kit.
    thief: wellBehaved({ drones: drones("thief"), uid: () => "kit-001" }),
    nobody: wellBehaved({ drones: drones("nobody"), uid: () => "__proto__" }),
  });
  const named = kits.list.filter(({ id }) => id !== "thief" && id !== "nobody");
  const unnamed = ["thief", "nobody"].map((id) => ({ url: kits.get(id).url }));
  await using it = await startBeside({ faults: ["healthy", "unknown_identity"], kits: [...named, ...unnamed] });
  const [changing = "", unknown = ""] = it.bad;
  await it.watch(9_000, async () => {
    await sleep(3_000);
    isSwapped = true;
    await it.sim.setFault(changing, "identity_change");
    await it.sim.setFault(unknown, "healthy");
  });
  const series = await it.series();
  for (const id of [...it.bad, ...named.map((kit) => kit.id)]) assert.equal(kitState(series, id), "online", id);
  const refused = it.gleaner.log().filter((line) => line["level"] === "error" && "identity" in line);
  assert.ok(
    refused.some((line) => line["identity"] === "kit-001"),
    "a second kit-001 is refused",
  );
  assert.ok(
    refused.some((line) => line["identity"] === "__proto__"),
    "what cannot be an id is refused",
  );
  return await it.finish(async (db) => {
    const owners = await db.query(
      "select distinct kit_id, drone_id from drones where drone_id like 'of-%' order by kit_id",
    );
    assert.deepEqual(
      owners.map((row) => `${row["kit_id"]} ${row["drone_id"]}`),
      ["left of-left", "one of-one", "other of-other", "right of-right"],
      "rows keep the configured id",
    );
    const events = await db.query(
      "select id, from_state, to_state from health_events where kind = 'identity' order by id, time",
    );
    const said = events.map((row) => `${row["id"]} ${row["from_state"]} ${row["to_state"]}`);
    assert.ok(
      said.includes("left wardragon-L wardragon-R") && said.includes("right wardragon-R wardragon-L"),
      said.join(),
    );
    assert.ok(
      said.some((line) => /^(one|other) unknown wardragon-SAME$/.test(line)),
      said.join(),
    );
    assert.ok(
      said.some((line) => line.startsWith(`${changing} `)),
      said.join(),
    );
    assert.ok(!said.some((line) => line.startsWith(`${unknown} `)), "an id told late is no change");
    const known = await db.query(
      "select kit_id, uid from kits where kit_id in ('left', 'right', 'one', 'other') order by kit_id",
    );
    assert.deepEqual(
      known.map((row) => row["uid"]),
      ["wardragon-R", "wardragon-SAME", "wardragon-SAME", "wardragon-L"],
    );
  });
});
