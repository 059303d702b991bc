import assert from "node:assert/strict";

import { setTimeout as sleep } from "node:timers/promises";
import type { FaultText } from "../../src/demo/faults.ts";
import { eventually } from "../support/eventually.ts";
import type { Reader } from "../support/rows.ts";
import { kitState, type Series } from "../support/scrape.ts";
import { failures, jobCount, MEMORY_MB, startBeside } from "./support/beside.ts";
import { peakRssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { blackHole, head, rawKit, rawKits, type Speak, say, wellBehaved } from "./support/raw-kit.ts";

/** The longest a poll may take, and what a busy machine may add to it (ms). */
const DEADLINE_MS = 1_500;
const SLACK_MS = 500;

/** A kit is asked for so many paths: at the start, all at once. */
const PATHS = 5;

const backoff = (series: Series, kit: string) => series.get(`gleaner_kit_backoff_seconds{kit="${kit}"}`) ?? Number.NaN;

async function assertDeadline(db: Reader, ids: readonly string[]): Promise<void> {
  const runs = await db.query("select target_id, duration_ms, error_kind from plugin_executions");
  for (const id of ids) {
    const own = runs.filter((run) => run["target_id"] === id);
    assert.ok(own.length > 0, `${id} has failed runs`);
    for (const run of own) {
      assert.equal(run["error_kind"], "timeout", id);
      assert.ok(Number(run["duration_ms"]) < DEADLINE_MS + SLACK_MS, `${id} took ${run["duration_ms"]} ms`);
    }
  }
}

fault(
  "K1",
  "kits refused, without a name, unreachable, swallowed (back-off 1 to 4 s for 5 to 300 s)",
  { quick: true },
  async () => {
    await using hole = await blackHole();
    const names = Array.from({ length: 6 }, (_, n) => ({
      id: `nameless-${n}`,
      url: `http://gleaner-kit-${n}.invalid:8088`,
    }));
    // No system lets a TCP connection out to a multicast address: unreachable, and no packet is sent.
    const lost = { id: "unreachable", url: "http://224.0.0.1:8088" };
    const kits = [...names, lost, { id: "swallowed", url: hole.url }];
    const refused = Array.from({ length: 20 }, () => "refused" as const);
    const env = { INITIAL_BACKOFF: "1s", MAX_BACKOFF: "4s" };
    await using it = await startBeside({ faults: refused, kits, env });
    await it.watch(9_000);
    const series = await it.series();
    const due = jobCount(series, "kit-001", "drones", "runs");
    const pauses = it.bad.map((kit) => backoff(series, kit));
    for (const kit of [...it.bad, ...kits.map(({ id }) => id)]) {
      assert.equal(kitState(series, kit), "offline", kit);
      assert.ok(failures(series, kit, kit === "swallowed" ? "timeout" : "unreachable") > 0, kit);
      const runs = jobCount(series, kit, "drones", "runs");
      assert.ok(runs <= due / 2, `${kit} was asked ${runs} times of ${due}`);
    }
    // Polls that were left out show with the next tick.
    await eventually(async () => {
      const later = await it.series();
      for (const kit of [...it.bad, ...kits.map(({ id }) => id)]) {
        const [runs, missed] = [jobCount(later, kit, "drones", "runs"), jobCount(later, kit, "drones", "skipped")];
        assert.ok(runs + missed >= due - 2, `${kit}: ${runs} runs and ${missed} missed polls of ${due}`);
      }
    });
    for (const pause of pauses)
      assert.ok(
        [1, 2, 4].some((step) => pause >= step * 0.9 && pause <= step * 1.1),
        `a pause of ${pause} s`,
      );
    assert.ok(new Set(pauses).size >= 15, "each kit's pause is its own");
    return await it.finish((db) => assertDeadline(db, ["swallowed"]));
  },
);

fault("K2", "kits that accept and never answer, or only in part", { quick: true }, async () => {
  const never: Speak = () => undefined;
  const kits = await rawKits({
    "half-line": (socket) => void socket.write("HTTP/1.1 2"),
    "half-headers": (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Type: appl"),
    "dripping-headers": (socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const timer = setInterval(() => socket.write("X-Wait: 1\r\n"), 300);
      socket.on("close", () => clearInterval(timer));
    },
    "headers-only": (socket) => void socket.write(head(["Content-Length: 100"], "HTTP/1.1 200 OK")),
    "one-chunk": (socket) =>
      void socket.write(head(["Transfer-Encoding: chunked"], "HTTP/1.1 200 OK").concat('5\r\n{"dro')),
    silent: never,
  });
  await using _ = kits;
  const faults: FaultText[] = ["hung", "hung", "hung_body", "hung_body"];
  await using it = await startBeside({ faults, kits: kits.list });
  await it.watch(8_000);
  const series = await it.series();
  const ids = [...it.bad, ...kits.list.map(({ id }) => id)];
  for (const id of ids) assert.equal(kitState(series, id), "offline", id);
  for (const kit of kits.list)
    assert.ok(kit.sockets().most <= PATHS, `${kit.id}: a connection for each of its paths at most`);
  return await it.finish((db) => assertDeadline(db, ids));
});

/** As long a list as will never be there. */
const drip: Speak = (socket) => {
  socket.write(head(["Content-Length: 4000"]));
  const timer = setInterval(() => socket.write(" "), 900);
  socket.on("close", () => clearInterval(timer));
};

fault("K3", "500 kits that drip a byte each 900 ms", { quick: true }, async () => {
  const count = 500;
  const well = wellBehaved({});
  let speak = well;
  const drippers = Array.from({ length: count }, (_, n) => {
    const now: Speak = (...request) => speak(...request);
    return [`drip-${n}`, now] as const;
  });
  await using kits = await rawKits(Object.fromEntries(drippers));
  await using it = await startBeside({ kits: kits.list, period: 2_000 });
  // What 500 kits in order cost is no matter of this fault.
  await it.watch(6_000);
  const base = peakRssMb(it.gleaner.pid);
  speak = drip;
  const { mostFiles } = await it.watch(10_000);
  const open = kits.list.reduce((sum, kit) => sum + kit.sockets().open, 0);
  assert.ok(mostFiles < count * PATHS + 100, `${mostFiles} open files`);
  for (const kit of kits.list) {
    assert.ok(kit.sockets().most <= PATHS, `${kit.id}: ${kit.sockets().most} connections at once`);
    assert.ok(kit.asked.length >= 3, `${kit.id} is asked again`);
  }
  const figures = await it.finish((db) =>
    assertDeadline(
      db,
      kits.list.map(({ id }) => id),
    ),
  );
  assert.ok((figures.peakRssMb ?? 0) <= base + MEMORY_MB, `${base} MB became ${figures.peakRssMb} MB`);
  assert.equal(
    kits.list.reduce((sum, kit) => sum + kit.sockets().open, 0),
    0,
    "nothing stays open",
  );
  return { ...figures, note: `${base} MB before; at most ${mostFiles} open files, ${open} connections in the end` };
});

const moved =
  (status: string, location: string): Speak =>
  (socket) =>
    say(socket, "", [`Location: ${location}`], `HTTP/1.1 ${status}`);

fault("K14", "kits that send their collector elsewhere", { quick: false }, async () => {
  await using canary = await rawKit("canary", wellBehaved({}));
  const there = `${canary.url}/drones`;
  await using kits = await rawKits({
    "other-301": moved("301 Moved Permanently", there),
    "other-303": moved("303 See Other", there),
    "other-307": moved("307 Temporary Redirect", there),
    "other-308": moved("308 Permanent Redirect", `//${new URL(canary.url).host}/drones`),
    metadata: moved("302 Found", "http://169.254.169.254/latest/meta-data/"),
    file: moved("302 Found", "file:///etc/passwd"),
    loop: moved("302 Found", "/drones"),
    refresh: (socket) => say(socket, "<html>", [`Refresh: 0; url=${there}`, `Content-Location: ${there}`]),
    early: (socket) => {
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: <${there}>; rel=preload\r\n\r\n`);
      say(socket, "", [`Location: ${there}`], "HTTP/1.1 302 Found");
    },
  });
  await using it = await startBeside({ faults: ["redirect", "redirect"], kits: kits.list });
  await it.watch(6_000);
  const series = await it.series();
  for (const id of [...it.bad, ...kits.list.map((kit) => kit.id)]) assert.equal(kitState(series, id), "error", id);
  const polls = ["drones", "signals", "status", "about"].map((job) => jobCount(series, "loop", job, "runs"));
  // The about job asks two paths.
  const asked = polls.reduce((sum, runs) => sum + runs, polls[3] ?? 0);
  assert.ok(kits.get("loop").asked.length <= asked + 4, "one request a poll");
  assert.equal((await it.sim.stats()).redirected, 0);
  assert.equal(canary.asked.length, 0);
  assert.equal(canary.sockets().most, 0, "not even a connection");
  return { ...(await it.finish()), note: "no connection to any of the targets" };
});

const busy =
  (status: 429 | 503, retryAfter: () => string): Speak =>
  (socket) =>
    say(socket, "{}", [`Retry-After: ${retryAfter()}`], `HTTP/1.0 ${status} Busy`);

/** Longest that two polls which started together are apart (ms). */
const TOGETHER_MS = 300;

/** Shortest silence between two requests that did not come together (ms). */
function shortestSilence(asked: readonly { readonly at: number }[]): number {
  const gaps = asked.slice(1).map(({ at }, i) => at - (asked[i]?.at ?? at));
  return Math.min(...gaps.filter((gap) => gap > TOGETHER_MS), Number.POSITIVE_INFINITY);
}

fault("K15", "kits that ask to be left alone, sensibly and not", { quick: false }, async () => {
  const soon = () => new Date(Date.now() + 4_000).toUTCString();
  await using kits = await rawKits({
    "seconds-429": busy(429, () => "3"),
    "date-429": busy(429, soon),
    "seconds-503": busy(503, () => "3"),
    "date-503": busy(503, soon),
    "ages-429": busy(429, () => "1000000000"),
    "ages-503": busy(503, () => "Fri, 31 Dec 9999 23:59:59 GMT"),
    "negative-429": busy(429, () => "-5"),
    "odd-503": busy(503, () => "1e9"),
  });
  const env = { INITIAL_BACKOFF: "200ms", MAX_BACKOFF: "10m" };
  await using it = await startBeside({ kits: kits.list, env });
  await it.watch(10_000);
  const series = await it.series();
  for (const id of ["seconds", "date"]) {
    const whole = kits.get(`${id}-429`).asked;
    assert.ok(whole.length > 4, `${id}-429 is asked again`);
    assert.ok(shortestSilence(whole) >= 2_950, `${id}-429: ${shortestSilence(whole)} ms`);
    const { asked } = kits.get(`${id}-503`);
    for (const path of ["/drones", "/signals", "/status"]) {
      const own = asked.filter((one) => one.path === path);
      assert.ok(own.length > 1, `${path} of ${id}-503 is asked again`);
      assert.ok(shortestSilence(own) >= 2_950, `${path} of ${id}-503: ${shortestSilence(own)} ms`);
    }
  }
  for (const id of ["ages-429", "ages-503"]) {
    assert.equal(Math.round(backoff(series, id)), 300, `${id}: five minutes at most`);
    assert.ok(kits.get(id).asked.length <= 5, `${id} was asked ${kits.get(id).asked.length} times`);
  }
  for (const id of ["negative-429", "odd-503"]) assert.ok(backoff(series, id) < 30, `${id}: its own back-off`);
  return await it.finish();
});

/** The rate of the busiest half second by the mean, over requests since `from`. */
function peakToMean(times: readonly number[], from: number, to: number): number {
  const bucket = 500;
  const counts = Array.from({ length: Math.floor((to - from) / bucket) }, () => 0);
  for (const time of times) {
    const at = Math.floor((time - from) / bucket);
    if (counts[at] !== undefined) counts[at]++;
  }
  return Math.max(...counts) / (counts.reduce((sum, n) => sum + n, 0) / counts.length);
}

fault("K18", "a kit that flaps, and 300 kits that go down and come back together", { quick: false }, async () => {
  const count = 300;
  const period = 3_000;
  const speak = wellBehaved({ drones: () => [] });
  await using kits = await rawKits(Object.fromEntries(Array.from({ length: count }, (_, n) => [`crowd-${n}`, speak])));
  const env = { INITIAL_BACKOFF: "1s", MAX_BACKOFF: "6s", STATUS_POLL_INTERVAL: "6s" };
  await using it = await startBeside({ faults: ["healthy"], kits: kits.list, period, env });
  const [flapping = ""] = it.bad;
  let back = 0;
  let most = 0;
  const { mostFiles } = await it.watch(24_000, async () => {
    await Promise.all(kits.list.map((kit) => kit.port.shut()));
    for (let n = 0; n < 12; n++) {
      await it.sim.setFault(flapping, n % 2 === 0 ? "refused" : "healthy");
      await sleep(700);
    }
    const series = await it.series();
    most = kits.list.filter(({ id }) => kitState(series, id) === "offline").length;
    await Promise.all(kits.list.map((kit) => kit.port.open()));
    back = Date.now();
  });
  assert.ok(most > count * 0.95, `${most} kits are offline`);
  await eventually(async () => {
    const series = await it.series();
    for (const { id } of kits.list) assert.equal(kitState(series, id), "online", id);
    assert.equal(kitState(series, flapping), "online");
  });
  const asked = kits.list.flatMap((kit) => kit.asked.map(({ at }) => at)).filter((at) => at >= back);
  const ratio = peakToMean(asked, back, back + 12_000);
  assert.ok(ratio < 2, `the busiest half second has ${ratio} times the mean`);
  assert.ok(mostFiles < 4 * count, `${mostFiles} open files`);
  const figures = await it.finish();
  return { ...figures, note: `peak/mean ${ratio.toFixed(2)} with ${count} kits; at most ${mostFiles} open files` };
});
