import assert from "node:assert/strict";
import { test } from "node:test";
import type { SimulatedKit } from "../../src/demo/kit-sim.ts";
import { eventually } from "../support/eventually.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";
import { type Gleaner, runGleaner, startGleaner } from "../support/process.ts";
import { ms, readSqlite } from "../support/rows.ts";
import { having, kitState, type Series, scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { dataSeries, HASTE, online } from "./fleet.ts";

type Entry = Readonly<Record<string, string>>;

const RELOADED = "gleaner_config_last_reload_successful";
const RELOADED_AT = "gleaner_config_last_reload_success_timestamp_seconds";

/** Writes kits.yaml; JSON is YAML. */
function configure(folder: TemporaryFolder, kits: readonly Entry[]): void {
  folder.write("kits.yaml", JSON.stringify({ kits }));
}

/** SIGHUP, and the series once it has been taken in. */
async function reload(gleaner: Gleaner, expected: 0 | 1): Promise<Series> {
  const before = (await scrape(gleaner)).get(RELOADED_AT);
  gleaner.signal("SIGHUP");
  return await eventually(async () => {
    const series = await scrape(gleaner);
    assert.equal(series.get(RELOADED), expected);
    if (expected === 1) assert.notEqual(series.get(RELOADED_AT), before);
    return series;
  });
}

const runs = (series: Series, kit: string) =>
  series.get(`gleaner_job_runs_total{target="${kit}",plugin="dragonsync",job="drones"}`) ?? 0;

test("kits come, go, change and tell their ids while gleaner runs", async (t) => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 4, args: ["--drones", "2", "--aircraft", "1", "--signals", "2"] });
  const [first, nameless, third, fourth] = sim.kits as [SimulatedKit, SimulatedKit, SimulatedKit, SimulatedKit];
  const kits = {
    first: { id: "kit-001", name: "Harbour", location: "Pier 4", api_url: first.url },
    nameless: { api_url: nameless.url },
    third: { id: "kit-003", api_url: third.url },
    fourth: { id: "kit-004", api_url: fourth.url },
  };
  configure(folder, [kits.first, kits.nameless, kits.third]);
  const place = { cwd: folder.path, env: HASTE };

  await t.test("while it runs", async (t) => {
    await using gleaner = await startGleaner(place);

    await t.test("a kit configured without id takes the one it tells", async () => {
      const series = await online(gleaner, "kit-001", nameless.uid, "kit-003");
      const { host } = new URL(nameless.url);
      assert.deepEqual([...having(series, "kit", host).keys()], [], "nothing is left under its address");
      assert.ok(series.has(`gleaner_kit_info{kit="${nameless.uid}",name="${nameless.uid}"}`));
      assert.ok(series.has('gleaner_kit_info{kit="kit-001",name="Harbour",location="Pier 4"}'));
    });

    await t.test("/sd/kits lists the kits for Prometheus", async () => {
      const listed = (await (await gleaner.get("/sd/kits")).json()) as { targets: string[]; labels: Entry }[];
      assert.deepEqual(
        listed.toSorted((a, b) =>
          (a.labels["__meta_gleaner_kit"] ?? "") < (b.labels["__meta_gleaner_kit"] ?? "") ? -1 : 1,
        ),
        [
          { kit: "kit-001", name: "Harbour", location: "Pier 4", url: first.url },
          { kit: "kit-003", name: "kit-003", location: "", url: third.url },
          { kit: nameless.uid, name: nameless.uid, location: "", url: nameless.url },
        ].map(({ kit, name, location, url }) => ({
          targets: [new URL(url).host],
          labels: { __meta_gleaner_kit: kit, __meta_gleaner_name: name, __meta_gleaner_location: location },
        })),
      );
    });

    await t.test("/probe collects one kit now", async () => {
      const series = await scrape(gleaner, "/probe?target=kit-001");
      assert.equal(series.get("probe_success"), 1);
      assert.ok((series.get("probe_duration_seconds") ?? 0) > 0);
      assert.equal(series.get('gleaner_kit_drones{kit="kit-001",track_type="drone"}'), 2);
      assert.ok(series.has('gleaner_kit_cpu_usage_ratio{kit="kit-001"}'));
      assert.ok([...series.keys()].every((id) => id.startsWith("probe_") || id.includes('{kit="kit-001"')));
      assert.equal((await gleaner.get("/probe?target=nobody")).status, 404);
      // Nobody else may ask it before the probe, or it would be offline for good reasons.
      await sim.setFault("kit-003", "slow:1200");
      const asked = performance.now();
      const answer = await gleaner.get("/probe?target=kit-003", { "x-prometheus-scrape-timeout-seconds": "1" });
      assert.match(await answer.text(), /^probe_success 0$/m);
      assert.ok(performance.now() - asked < 1_000, "within the scrape's timeout");
      assert.equal(kitState(await scrape(gleaner), "kit-003"), "online", "in a hurry is not ill");
      await sim.setFault("kit-003", "healthy");
    });

    await t.test("/api/jobs and `gleaner jobs` tell next run and last outcome of every job", async () => {
      const { jobs } = (await (await gleaner.get("/api/jobs")).json()) as { jobs: Record<string, string>[] };
      const job = jobs.find(({ target, job }) => target === nameless.uid && job === "drones");
      assert.equal(job?.["trigger"], "every 250ms");
      assert.equal(job?.["lastOutcome"], "ok");
      assert.ok(Math.abs(Date.parse(job?.["nextRun"] ?? "") - Date.now()) < 60_000);
      assert.equal(jobs.length, 3 * 4 + 3, "four jobs a kit, and the host's");
      const env = { GLEANER_LISTEN: new URL(gleaner.url).host };
      const { code, stdout, stderr } = await runGleaner(["jobs"], { cwd: folder.path, env });
      assert.deepEqual([code, stderr], [0, ""]);
      const [header, ...lines] = stdout.trimEnd().split("\n");
      assert.match(header ?? "", /^TARGET +JOB +TRIGGER +NEXT RUN +LAST RUN +OUTCOME +REASON$/);
      assert.equal(lines.length, jobs.length);
      assert.match(stdout, /^kit-001 +signals +every 250ms +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d{4}-.* +ok$/m);
    });

    await t.test(
      "SIGHUP: a new kit is polled, a removed one has no series, a renamed one is another, the rest goes on",
      async () => {
        const before = await scrape(gleaner);
        const earlier = runs(before, nameless.uid);
        assert.ok(dataSeries(before, "kit-003").length > 0);
        configure(folder, [{ ...kits.first, id: "harbour" }, kits.nameless, kits.fourth]);
        const after = await reload(gleaner, 1);
        for (const gone of ["kit-001", "kit-003"]) {
          assert.deepEqual([...having(after, "kit", gone).keys()], []);
          assert.deepEqual([...having(after, "target", gone).keys()], []);
        }
        assert.ok(runs(after, nameless.uid) >= earlier, "its counters go on");
        assert.equal(kitState(after, nameless.uid), "online", "and it never was anything else");
        assert.deepEqual(dataSeries(after, nameless.uid).toSorted(), dataSeries(before, nameless.uid).toSorted());
        const later = await online(gleaner, "harbour", nameless.uid, "kit-004");
        assert.deepEqual([...having(later, "kit", "kit-003").keys()], [], "no run in flight brought it back");
      },
    );

    await t.test("SIGHUP with a broken kits.yaml changes nothing, and shows", async () => {
      folder.write("kits.yaml", "kits:\n  - id: [\n");
      const series = await reload(gleaner, 0);
      for (const kit of ["harbour", nameless.uid, "kit-004"]) assert.equal(kitState(series, kit), "online");
      const earlier = runs(series, "kit-004");
      await eventually(async () => assert.ok(runs(await scrape(gleaner), "kit-004") > earlier + 2));
      const said = gleaner.log().find(({ msg }) => String(msg).includes("the old one stays in force"));
      assert.match(JSON.stringify(said), /kits\.yaml:\d+:\d+/);
      configure(folder, [{ ...kits.first, id: "harbour" }, kits.nameless, kits.fourth]);
      await reload(gleaner, 1);
      assert.ok(runs(await scrape(gleaner), "kit-004") > earlier, "nothing was started over");
    });
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  });

  await t.test("the database tells who is polled and who no longer is", async () => {
    await using db = readSqlite(folder.at("data/gleaner.db"));
    const rows = await db.query("select kit_id, status, enabled, uid, name from kits order by kit_id");
    assert.deepEqual(rows, [
      { kit_id: "harbour", status: "online", enabled: 1, uid: first.uid, name: "Harbour" },
      { kit_id: "kit-001", status: "unknown", enabled: 0, uid: first.uid, name: "Harbour" },
      { kit_id: "kit-003", status: "unknown", enabled: 0, uid: third.uid, name: "kit-003" },
      { kit_id: "kit-004", status: "online", enabled: 1, uid: fourth.uid, name: "kit-004" },
      { kit_id: nameless.uid, status: "online", enabled: 1, uid: nameless.uid, name: nameless.uid },
    ]);
    const states = await db.query("select target_id, health_status from plugin_status where target_id like 'kit-%'");
    assert.deepEqual(
      states.toSorted((a, b) => (String(a["target_id"]) < String(b["target_id"]) ? -1 : 1)),
      [
        { target_id: "kit-001", health_status: "unknown" },
        { target_id: "kit-003", health_status: "unknown" },
        { target_id: "kit-004", health_status: "online" },
      ],
    );
    const owners = await db.query("select distinct kit_id from drones");
    assert.ok(
      owners.every(({ kit_id }) => !String(kit_id).includes("127.0.0.1")),
      "no row under an address",
    );
  });

  await t.test("a kit without id keeps the one it told over a restart, though it is down", async () => {
    await sim.setFault("kit-002", "refused");
    const lastSeen = async () => {
      await using db = readSqlite(folder.at("data/gleaner.db"));
      return ms((await db.query(`select last_seen from kits where kit_id = '${nameless.uid}'`))[0]?.["last_seen"]);
    };
    const before = await lastSeen();
    await using gleaner = await startGleaner(place);
    await eventually(async () => {
      const series = await scrape(gleaner);
      assert.equal(kitState(series, nameless.uid), "offline");
      assert.equal(series.get(`gleaner_kit_last_seen_timestamp_seconds{kit="${nameless.uid}"}`), before / 1_000);
    });
    const listed = await runGleaner(["kits", "list"], place);
    assert.match(listed.stdout, new RegExp(`^${nameless.uid} +\\w+ +\\d{4}-`, "m"));
    assert.equal((await gleaner.stop()).code, 0);
    assert.equal(await lastSeen(), before);
  });
});

test("a kit whose own clock of status stands still is stale, though it answers", async (t) => {
  using folder = temporaryFolder();
  const { startKits } = await import("../../src/demo/kit-sim.ts");
  // A kit measures itself every 30 s. Time runs twenty-fold here, and from behind, so that it never is far ahead.
  const began = Date.now();
  const clock = () => began - 240_000 + (Date.now() - began) * 20;
  const sim = await startKits({ count: 2, clock, rateLimit: false, faults: { "kit-002": "frozen_status" } });
  t.after(() => sim.close());
  configure(
    folder,
    sim.kits.map(({ id, url }) => ({ id, api_url: url })),
  );
  await using gleaner = await startGleaner({ cwd: folder.path, env: { ...HASTE, STALE_THRESHOLD: "3s" } });
  const before = await online(gleaner, "kit-001", "kit-002");
  assert.ok(dataSeries(before, "kit-002").length > 0);
  const series = await eventually(async () => {
    const now = await scrape(gleaner);
    assert.equal(kitState(now, "kit-002"), "stale");
    return now;
  });
  assert.deepEqual(dataSeries(series, "kit-002"), [], "its data is withdrawn");
  assert.equal(kitState(series, "kit-001"), "online", "a kit whose clock goes on is not stale");
  assert.ok(dataSeries(series, "kit-001").length > 0);
  await sim.setFault("kit-002", "healthy");
  assert.ok(dataSeries(await online(gleaner, "kit-002"), "kit-002").length > 0);
});
