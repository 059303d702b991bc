import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { runGleaner, startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { identity } from "../support/sample-line.ts";
import { scrape } from "../support/scrape.ts";
import { parseText } from "../support/text-format.ts";

const OPENMETRICS = { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" };
const HOST_TARGETS = ["disk_monitor", "network_monitor", "system_info"];

const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;
const isRequired = process.env["GLEANER_TEST_REQUIRE_SERVICES"] === "1";
const skip = hasPromtool || isRequired ? false : "promtool is not installed (Debian package prometheus)";

async function promtool(text: string): Promise<string> {
  const child = spawn("promtool", ["check", "metrics"], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(text);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) for await (const chunk of stream) said += chunk;
  return said;
}

describe("gleaner with no configuration, in an empty folder", () => {
  test("collects from this host, serves it in both formats, and keeps every row over a restart", async (t) => {
    using folder = temporaryFolder();
    const begun = performance.now();
    await using gleaner = await startGleaner({ cwd: folder.path });

    await t.test("has host series and is ready within 10 s", async () => {
      await eventually(async () => {
        const series = await scrape(gleaner);
        for (const target of HOST_TARGETS)
          assert.equal(series.get(`gleaner_target_up{target="${target}",plugin="${target}"}`), 1);
      });
      assert.equal((await gleaner.get("/-/ready")).status, 200);
      assert.equal((await gleaner.get("/-/healthy")).status, 200);
      assert.ok(performance.now() - begun < 10_000, "that took longer than 10 s");
      const series = await scrape(gleaner);
      assert.ok((series.get('gleaner_boot_time_seconds{target="system_info"}') ?? 0) > 0);
      assert.ok([...series.keys()].some((id) => id.startsWith('gleaner_disk_read_bytes_total{target="disk_monitor"')));
      assert.ok([...series.keys()].some((id) => id.startsWith("gleaner_network_")));
    });

    await t.test("says on one screen what it does, where, and how to stop it", () => {
      const screen = gleaner.screen();
      assert.match(screen, /^gleaner \d+\.\d+\.\d+ \(Node 24\.\d+\.\d+, pid \d+\)\n/);
      assert.ok(screen.includes(`pid ${gleaner.pid}`));
      assert.match(screen, /collecting +disk_monitor, network_monitor, system_info\n/);
      assert.ok(screen.includes(`every row in sqlite ${folder.at("data/gleaner.db")}\n`), screen);
      assert.ok(screen.includes(`${gleaner.url}/metrics`));
      assert.match(screen, /stop +Ctrl-C\n/);
      assert.ok(screen.split("\n").length < 24, "that is more than one screen");
    });

    await t.test("promtool finds nothing to complain about", { skip }, async () => {
      assert.ok(hasPromtool, "promtool is not installed, and services are required");
      assert.equal(await promtool(await (await gleaner.get("/metrics")).text()), "");
    });

    await t.test("both formats are well-formed and hold the same series", async () => {
      const text = await gleaner.get("/metrics");
      const strict = await gleaner.get("/metrics", OPENMETRICS);
      assert.match(text.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
      assert.match(strict.headers.get("content-type") ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
      const ids = (families: readonly { samples: readonly Parameters<typeof identity>[0][] }[]) =>
        // Bounds are written 1 in the one format and 1.0 in the other; both mean the same series.
        new Set(families.flatMap(({ samples }) => samples.map(canonical).map(identity)));
      assert.deepEqual(
        ids(parseOpenMetrics(Buffer.from(await strict.arrayBuffer()))),
        ids(parseText(Buffer.from(await text.arrayBuffer()))),
      );
    });

    await t.test("HEAD has the headers and no body, and gzip is less for the same", async () => {
      const head = await fetch(`${gleaner.url}/metrics`, {
        method: "HEAD",
        headers: { "accept-encoding": "identity" },
      });
      assert.equal(head.status, 200);
      assert.match(head.headers.get("content-type") ?? "", /^text\/plain/);
      assert.equal((await head.arrayBuffer()).byteLength, 0);
      const packed = await gleaner.get("/metrics", { "accept-encoding": "gzip" });
      assert.equal(packed.headers.get("content-encoding"), "gzip");
      const body = Buffer.from(await packed.arrayBuffer());
      assert.ok(Number(packed.headers.get("content-length")) < body.length / 2);
      assert.ok(parseText(body).length > 50);
    });

    const stopping = performance.now();
    assert.deepEqual(await gleaner.stop("SIGTERM"), { code: 0, signal: null });
    assert.ok(performance.now() - stopping < 10_000);

    await t.test("after SIGTERM the database holds the rows", async () => {
      await using db = readSqlite(folder.at("data/gleaner.db"));
      const [samples] = await db.query("select count(*) as n, count(distinct series_id) as series from samples");
      assert.ok(Number(samples?.["n"]) > 50 && Number(samples?.["series"]) > 50, JSON.stringify(samples));
      const runs = await db.query("select distinct target_id, status, error_message from plugin_executions order by 1");
      assert.deepEqual(
        runs,
        HOST_TARGETS.map((target_id) => ({ target_id, status: "success", error_message: null })),
      );
      const plugins = await db.query("select plugin_id, enabled from plugins order by plugin_id");
      assert.ok(plugins.some(({ plugin_id, enabled }) => plugin_id === "dragonsync" && enabled === 0));
      const running = plugins.filter(({ enabled }) => enabled === 1).map(({ plugin_id }) => plugin_id);
      assert.deepEqual(running, HOST_TARGETS);
      const states = await db.query("select target_id, health_status, error_count from plugin_status order by 1");
      assert.deepEqual(
        states,
        HOST_TARGETS.map((target_id) => ({ target_id, health_status: "healthy", error_count: 0 })),
      );
      const events = await db.query("select id, from_state, to_state, severity from health_events order by id");
      assert.deepEqual(
        events,
        HOST_TARGETS.map((id) => ({ id, from_state: "unknown", to_state: "healthy", severity: "info" })),
      );
      const [view] = await db.query(
        "select value from plugin_metrics where metric_name like '%boot_time_seconds' limit 1",
      );
      assert.match(String(view?.["value"]), /numeric_value/);
    });

    await t.test("a second start goes on with the same database, and SIGINT stops it too", async () => {
      const count = async () => {
        await using db = readSqlite(folder.at("data/gleaner.db"));
        return (
          await db.query("select (select count(*) from samples) as samples, (select count(*) from series) as series")
        )[0];
      };
      const before = await count();
      await using again = await startGleaner({ cwd: folder.path });
      await eventually(async () =>
        assert.equal(
          (await scrape(again)).get('gleaner_job_runs_total{target="system_info",plugin="system_info",job="system"}'),
          1,
        ),
      );
      // As from a terminal under npm: the terminal signals both, and npm passes its own on.
      again.signal("SIGINT");
      assert.deepEqual(await again.stop("SIGINT"), { code: 0, signal: null });
      assert.equal(existsSync(folder.at("data/gleaner.db-wal")), false, "closed cleanly");
      const after = await count();
      assert.ok(Number(after?.["samples"]) > Number(before?.["samples"]));
      assert.equal(after?.["series"], before?.["series"], "the same series have the same ids");
    });
  });
});

function canonical(sample: Parameters<typeof identity>[0]) {
  return { ...sample, labels: sample.labels.map(([n, v]) => [n, n === "le" ? String(Number(v)) : v] as const) };
}

describe("gleaner that cannot start", () => {
  test("a broken gleaner.yaml: exit 1 with file, line and column", async () => {
    using folder = temporaryFolder();
    folder.write("gleaner.yaml", "scheduler:\n  intervall: 5s\n");
    const { code, stdout, stderr } = await runGleaner([], { cwd: folder.path });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^The configuration is not usable:\ngleaner\.yaml:2:3 scheduler\.intervall: /);
    assert.equal(existsSync(folder.at("data")), false, "and nothing was made");
  });

  test("the port is taken: exit 1 with one sentence that says what to do", async () => {
    using folder = temporaryFolder();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const listen = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const { code, stderr } = await runGleaner([], { cwd: folder.path, env: { GLEANER_LISTEN: listen } });
    await new Promise((resolve) => other.close(resolve));
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `cannot listen on ${listen}: another process listens there; stop it, or set GLEANER_LISTEN to another address or port\n`,
    );
  });

  test("a database that is none: exit 1 with one sentence", async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "letter.txt"), "Dear database, ".repeat(100));
    const env = { GLEANER_LISTEN: "127.0.0.1:0", DATABASE_URL: "sqlite:letter.txt" };
    const { code, stderr } = await runGleaner([], { cwd: folder.path, env });
    assert.equal(code, 1);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.match(stderr, /letter\.txt.*the file is something else/);
  });

  test("a second gleaner on the same data: exit 1 with one sentence", async () => {
    using folder = temporaryFolder();
    await using _first = await startGleaner({ cwd: folder.path });
    const { code, stderr } = await runGleaner([], { cwd: folder.path, env: { GLEANER_LISTEN: "127.0.0.1:0" } });
    assert.equal(code, 1);
    assert.match(stderr.trim(), /^another gleaner runs on the spool .*GLEANER_DATA_DIR\)$/);
  });
});

test("a database that cannot be reached: gleaner runs, says so, and keeps what it collects", async () => {
  using folder = temporaryFolder();
  const env = { DATABASE_URL: "postgresql://gleaner:hush@127.0.0.1:1/gleaner" };
  await using gleaner = await startGleaner({ cwd: folder.path, env });
  const reason = await eventually(async () => {
    const ready = await gleaner.get("/-/ready");
    assert.equal(ready.status, 503);
    return await ready.text();
  });
  assert.match(reason, /the store cannot be written/);
  assert.equal((await gleaner.get("/-/healthy")).status, 200);
  await eventually(async () => {
    const series = await scrape(gleaner);
    for (const target of HOST_TARGETS)
      assert.equal(series.get(`gleaner_target_up{target="${target}",plugin="${target}"}`), 1);
    assert.equal(series.get("gleaner_store_up"), 0);
    assert.ok((series.get("gleaner_spool_batches") ?? 0) > 0);
  });
  assert.equal((await gleaner.stop()).code, 0);
  assert.ok(!`${reason}${JSON.stringify(gleaner.log())}`.includes("hush"));
});
