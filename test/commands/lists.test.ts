import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { plugins } from "../../src/plugins/registry.gen.ts";
import { openStore } from "../../src/store/open.ts";
import { kit, options } from "../store/make.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";

test("plugins list: every plugin with its jobs and intervals", async () => {
  using folder = temporaryFolder();
  const { code, stdout } = await runGleaner(["plugins", "list"], { cwd: folder.path });
  assert.equal(code, 0);
  const [header, ...lines] = stdout.trimEnd().split("\n");
  assert.match(header ?? "", /^PLUGIN +CATEGORY +DEFAULT +NOW +JOBS +SUMMARY$/);
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    plugins.map(({ id }) => id),
  );
  assert.match(stdout, /^dragonsync +field +off +off +drones 5s, signals 5s, status 30s, about 1h +\S/m);
  assert.match(stdout, /^system_info +system +on +on +system 1m +\S/m);
});

test("kits list: the configured kits with what the database last knew of them", async () => {
  using folder = temporaryFolder();
  const list = () => runGleaner(["kits", "list"], { cwd: folder.path });
  assert.equal((await list()).stdout, "No kits are configured; see kits.example.yaml.\n");
  const urls = ["http://10.0.0.1:8088", "http://10.0.0.2:8088", "http://10.0.0.3:8088"];
  folder.write(
    "kits.yaml",
    JSON.stringify({
      kits: [{ id: "roof", name: "The Roof", api_url: urls[0] }, { api_url: urls[1] }, { api_url: urls[2] }],
    }),
  );
  assert.match((await list()).stdout, /^roof +unknown +never +http:\/\/10\.0\.0\.1:8088 +The Roof$/m);
  assert.equal(existsSync(folder.at("data")), false, "looking makes no database");

  const store = await openStore(options(`sqlite:${folder.at("data/gleaner.db")}`));
  const lastSeen = new Date("2026-03-01T12:00:00.000Z");
  await store.upsertKits([
    kit({ kitId: "roof", apiUrl: urls[0] as string, status: "online", lastSeen }),
    kit({ kitId: "wardragon-1", apiUrl: urls[1] as string, status: "offline" }),
  ]);
  await store.close();
  const { stdout } = await list();
  assert.match(stdout, /^KIT +STATUS +LAST SEEN +ADDRESS +NAME$/m);
  assert.match(stdout, /^roof +online +2026-03-01 12:00:00 +http:\/\/10\.0\.0\.1:8088 +The Roof$/m);
  assert.match(stdout, /^wardragon-1 +offline +never +http:\/\/10\.0\.0\.2:8088/m);
  assert.match(stdout, /^\(tells its own\) +unknown +never +http:\/\/10\.0\.0\.3:8088/m);
});

test("jobs without a server: exit 1 with one sentence", async () => {
  using folder = temporaryFolder();
  const { code, stdout, stderr } = await runGleaner(["jobs"], {
    cwd: folder.path,
    env: { GLEANER_LISTEN: "0.0.0.0:1" },
  });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, "No gleaner answers at http://127.0.0.1:1/api/jobs. Is it running? (npm start)\n");
});

test("migrate: makes the database, and the second time finds nothing to do", async () => {
  using folder = temporaryFolder();
  const migrate = () => runGleaner(["migrate"], { cwd: folder.path });
  const first = await migrate();
  assert.equal(first.code, 0);
  assert.match(first.stdout, /^Applied: 0001_tables(, \d{4}_\w+)*\.\n/);
  assert.deepEqual(await migrate(), { code: 0, signal: null, stdout: "The database is up to date.\n", stderr: "" });
  await using db = readSqlite(folder.at("data/gleaner.db"));
  assert.deepEqual(await db.query("select count(*) as n from drones"), [{ n: 0 }]);
  const check = await runGleaner(["check"], { cwd: folder.path });
  assert.match(check.stdout, /^ok +store: sqlite .*gleaner\.db, up to date$/m);
});
