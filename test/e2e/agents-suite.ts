import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { AgentView } from "../../src/http/app/agents.ts";
import type { Overview } from "../../src/http/app/overview.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Env, type Gleaner, runGleaner, startGleaner } from "../support/process.ts";
import type { Reader } from "../support/rows.ts";
import { having, scrape } from "../support/scrape.ts";

/** An engine to run on: where gleaner writes, and how the test reads. */
export interface Database {
  readonly env: Env;
  read(folder: string): Promise<Reader> | Reader;
}

const ADMIN = "canary-an-administrator";
const YAML = `
server: { tokens: [{ name: admin, scopes: [admin], token: ${ADMIN} }] }
environment: lab
store: { batch_timeout: 200ms }
targets:
  system_info: { enabled: false }
  disk_monitor: { enabled: false }
  network_monitor: { enabled: false }
  memcached: { plugin: memcached_monitor, config: { port: 1 }, interval: 1h, retry_count: 0 }
`;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Sends JSON with a bearer token. */
async function send(url: string, method: string, path: string, token: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(`${url}/api/agents${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: text === "" ? {} : JSON.parse(text) };
}

const DECLARED = {
  ...{ version: "1.2.0", interval: "1m" },
  metrics: {
    power_watts: { help: "Power.", unit: "watts", range: { min: 0, max: 10_000 } },
    string_volts: { help: "Voltage.", unit: "volts", labels: ["string"], maxSeries: 4 },
    energy_joules_total: { help: "Energy.", type: "counter", unit: "joules" },
  },
};

/** So often that its silence is soon noticed. */
const OFTEN = { ...DECLARED, interval: "1s" };

const reportOf = (at: Date, watts: number) => ({
  at: at.toISOString(),
  samples: [
    { metric: "power_watts", value: watts },
    { metric: "string_volts", value: 48, labels: { string: "a" } },
    { metric: "string_volts", value: 47, labels: { string: "a" }, at: new Date(at.getTime() - 500).toISOString() },
    { metric: "energy_joules_total", value: "12" },
  ],
  documents: [{ name: "inverter", body: { model: "x" } }],
});

const targetsOf = async (gleaner: Gleaner): Promise<Overview["targets"]> =>
  ((await (await gleaner.get("/api/targets", { Authorization: `Bearer ${ADMIN}` })).json()) as Overview).targets;

/** All of the push interface, from outside, on a real process. */
export async function checkAgents(t: TestContext, database: Database): Promise<void> {
  using folder = temporaryFolder();
  folder.write("gleaner.yaml", YAML);
  const place = { cwd: folder.path, env: { ...database.env, LOG_LEVEL: "debug" } };
  await using gleaner = await startGleaner(place);
  const owner = (method: string, path: string, body?: unknown) => send(gleaner.url, method, path, ADMIN, body);
  const secrets: string[] = [ADMIN];
  const add = async (body: object): Promise<string> => {
    const { status, json } = await owner("POST", "", body);
    assert.equal(status, 201, JSON.stringify(json));
    const key = String(json["key"]);
    secrets.push(key);
    return key;
  };
  const run = (...args: string[]) => runGleaner(["agents", ...args], place);
  const agents = async () => (await owner("GET", "")).json["agents"] as AgentView[];
  const roof = await add({ id: "roof", plugin: "solar", name: "Roof" });
  const agent = (path: string, body?: unknown, key = roof, id = "roof") =>
    send(gleaner.url, body === undefined ? "GET" : "POST", `/${id}/${path}`, key, body);

  await t.test("an agent is known by its key, and no other token opens its door", async () => {
    assert.equal((await agent("metrics", reportOf(new Date(), 1))).status, 409, "not registered yet");
    assert.equal((await agent("metrics", {}, "gla_wrong")).status, 401);
    assert.equal((await agent("metrics", {}, roof, "nobody")).status, 401);
    assert.equal((await owner("POST", "", { id: "roof" })).status, 409);
    assert.equal((await owner("POST", "", { id: "x", plugin: "redis_monitor" })).status, 400);
    assert.equal((await send(gleaner.url, "GET", "", roof)).status, 401, "it is no token for anything else");
    assert.equal((await gleaner.get("/metrics", { Authorization: `Bearer ${roof}` })).status, 401);
  });

  await t.test("it registers, held to what plugins are held to", async () => {
    const bad = await agent("register", { interval: "1s", metrics: { wait_ms: { help: "A wait." } } });
    assert.equal(bad.status, 400);
    assert.match(String(bad.json["detail"]), /agent_wait_ms fails the linter/);
    const { status, json } = await agent("register", DECLARED);
    assert.deepEqual(
      [status, json],
      [
        200,
        {
          metrics: {
            power_watts: "gleaner_agent_power_watts",
            string_volts: "gleaner_agent_string_volts",
            energy_joules_total: "gleaner_agent_energy_joules_total",
          },
        },
      ],
    );
    assert.equal((await targetsOf(gleaner)).find(({ id }) => id === "roof")?.state, "unknown");
  });

  const first = new Date();
  await t.test("what it reports is durable, shown, and stored once, also when the answer was lost", async () => {
    for (let time = 0; time < 3; time++) {
      const { status, json } = await agent("metrics", reportOf(first, 1_500));
      assert.deepEqual([status, json], [200, { accepted: 5, rejected: {} }]);
    }
    const series = await scrape(gleaner);
    assert.equal(series.get('gleaner_agent_power_watts{target="roof"}'), 1_500);
    assert.equal(series.get('gleaner_agent_string_volts{target="roof",string="a"}'), 48, "the last of the two");
    assert.equal(series.get('gleaner_agent_energy_joules_total{target="roof"}'), 12);
    assert.equal(series.get('gleaner_target_up{target="roof",plugin="solar"}'), 1);
    await eventually(async () => {
      const expiry = (await scrape(gleaner)).get(
        'gleaner_target_key_expiry_timestamp_seconds{target="roof",plugin="solar"}',
      );
      assert.ok(Math.abs((expiry ?? 0) - Date.now() / 1_000 - 90 * 86_400) < 600, `${expiry}`);
    });
    assert.equal((await targetsOf(gleaner)).find(({ id }) => id === "roof")?.state, "healthy");
    await using db = await database.read(folder.path);
    await eventually(async () => {
      const [row] = await db.query(
        "select count(*) as n, count(distinct time) as times from plugin_metrics where plugin_id = 'solar' and target_id = 'roof'",
      );
      assert.deepEqual([Number(row?.["n"]), Number(row?.["times"])], [4, 2]);
      const [runs] = await db.query("select count(*) as n from plugin_executions where target_id = 'roof'");
      assert.equal(Number(runs?.["n"]), 1);
      const [documents] = await db.query("select count(*) as n from documents where target_id = 'roof'");
      assert.equal(Number(documents?.["n"]), 1);
    });
  });

  await t.test("what it catches up on is stored, and not shown as if it were now", async () => {
    const old = new Date(first.getTime() - 3_600_000);
    assert.equal((await agent("metrics", reportOf(old, 7))).status, 200);
    assert.equal((await scrape(gleaner)).get('gleaner_agent_power_watts{target="roof"}'), 1_500);
  });

  await t.test("what of a report cannot be used is told, counted, and shown to the owner", async () => {
    const samples = [
      { metric: "power_watts", value: 20_000 },
      { metric: "power_watts", value: "a lot" },
      { metric: "invented", value: 1 },
      { metric: "energy_joules_total", value: 5 },
    ];
    const { status, json } = await agent("metrics", { at: new Date(), samples });
    assert.equal(status, 200);
    const rejected = { out_of_range: 1, not_a_number: 1, undeclared_metric: 1 };
    assert.deepEqual(json, { accepted: 1, rejected });
    assert.deepEqual((await targetsOf(gleaner)).find(({ id }) => id === "roof")?.rejected, rejected);
    const nothing = await agent("metrics", { at: new Date(), samples: samples.slice(0, 3) });
    assert.equal(nothing.status, 400);
    assert.match(String(nothing.json["detail"]), /nothing of the report can be used: .*1 out_of_range/);
    for (const body of ["{", "[]", '{"at":"x","samples":[1]}', "[".repeat(1_000), '{"__proto__":{"at":1}}'])
      assert.equal((await agent("metrics", body)).status, 400, body.slice(0, 20));
    const large = await agent("metrics", `{"at":"${"x".repeat(513_000)}"}`).catch(() => ({ status: 413 }));
    assert.equal(large.status, 413);
  });

  await t.test("it fetches what its owner has set for it, and says how it is", async () => {
    assert.deepEqual((await agent("config")).json, { config: {} });
    assert.equal((await owner("PUT", "/roof/config", { every: 5, inverter: { id: "a" } })).status, 200);
    assert.deepEqual((await agent("config")).json, { config: { every: 5, inverter: { id: "a" } } });
    assert.equal((await owner("PUT", "/roof/config", ["a"])).status, 400);
    const said = { at: new Date(), status: "failing", message: "no inverter" };
    assert.equal((await agent("health", said)).status, 200);
    const shown = (await targetsOf(gleaner)).find(({ id }) => id === "roof");
    assert.equal(shown?.lastError, "health: no inverter");
    assert.equal((await agent("health", { at: new Date(), status: "well" })).status, 400);
    assert.equal((await agent("health", { at: new Date(), status: "healthy" })).status, 200);
  });

  const cellar = await add({ id: "cellar", plugin: "solar" });
  await t.test("two agents cannot touch each other", async () => {
    for (const path of ["register", "metrics", "health"]) {
      assert.equal((await agent(path, {}, cellar, "roof")).status, 401, path);
      assert.equal((await agent(path, {}, roof, "cellar")).status, 401, path);
    }
    assert.equal((await agent("config", undefined, cellar, "roof")).status, 401);
    // A gauge of the name that the other's counter has would hide it.
    const metrics = { energy_joules: { help: "Energy.", unit: "joules" } };
    const clash = await agent("register", { interval: "1s", metrics }, cellar, "cellar");
    assert.equal(clash.status, 409);
    assert.match(String(clash.json["detail"]), /cannot be there both/);
    assert.equal((await agent("register", OFTEN, cellar, "cellar")).status, 200);
    assert.equal((await agent("metrics", reportOf(new Date(), 3), cellar, "cellar")).status, 200);
    await agent("metrics", reportOf(new Date(), 1_600));
    const series = await scrape(gleaner);
    assert.equal(series.get('gleaner_agent_power_watts{target="cellar"}'), 3);
    assert.equal(series.get('gleaner_agent_power_watts{target="roof"}'), 1_600);
  });

  await t.test("too many requests of one are told so, and the other's are taken", async () => {
    const codes: number[] = [];
    for (let i = 0; i < 6; i++) codes.push((await agent("register", OFTEN, cellar, "cellar")).status);
    assert.equal(codes.at(-1), 429);
    const late = await agent("register", OFTEN, cellar, "cellar");
    assert.ok(Number(late.headers.get("retry-after")) >= 1);
    assert.notEqual((await agent("register", DECLARED)).status, 429);
  });

  await t.test("an id that is another target's is refused", async () => {
    const key = await add({ id: "memcached" });
    assert.equal((await agent("register", DECLARED, key, "memcached")).status, 200);
    assert.equal((await agent("metrics", reportOf(new Date(), 1), key, "memcached")).status, 409);
    assert.equal((await owner("DELETE", "/memcached")).status, 200);
  });

  await t.test("silence is a failure, and its series go; a report brings it back", async () => {
    await eventually(async () => {
      const series = await scrape(gleaner);
      assert.equal(series.get('gleaner_target_state{target="cellar",plugin="solar",state="degraded"}'), 1);
      assert.equal(series.get('gleaner_agent_power_watts{target="cellar"}'), undefined);
    }, 20_000);
    const shown = (await targetsOf(gleaner)).find(({ id }) => id === "cellar");
    assert.match(shown?.lastError ?? "", /^report: no report for \d+ s; one is expected every 1s$/);
    assert.equal((await agent("metrics", reportOf(new Date(), 4), cellar, "cellar")).status, 200);
    const series = await scrape(gleaner);
    assert.equal(series.get('gleaner_target_state{target="cellar",plugin="solar",state="healthy"}'), 1);
    assert.equal(series.get('gleaner_agent_power_watts{target="cellar"}'), 4);
  });

  await t.test(
    "a renewed key takes the place of the old one; a revoked one is good for nothing, and its series go",
    async () => {
      const { stdout, code } = await run("renew", "cellar", "--expires", "1h");
      assert.equal(code, 0);
      const renewed = /^gla_\S+$/m.exec(stdout)?.[0] ?? "";
      secrets.push(renewed);
      await eventually(async () => {
        assert.equal((await agent("metrics", reportOf(new Date(), 5), cellar, "cellar")).status, 401);
      });
      assert.equal((await agent("metrics", reportOf(new Date(), 5), renewed, "cellar")).status, 200);
      assert.equal((await owner("DELETE", "/cellar")).status, 200);
      const refused = await agent("metrics", reportOf(new Date(), 6), renewed, "cellar");
      assert.equal(refused.status, 401);
      assert.match(String(refused.json["detail"]), /revoked/);
      assert.equal((await scrape(gleaner)).get('gleaner_agent_power_watts{target="cellar"}'), undefined, "at once");
      await eventually(async () => assert.equal([...having(await scrape(gleaner), "target", "cellar")].length, 0));
      assert.equal((await agents()).find(({ id }) => id === "cellar")?.state, "revoked");
      assert.equal((await owner("DELETE", "/nobody")).status, 404);
    },
  );

  await t.test("by the command line, while gleaner runs", async () => {
    const { stdout, stderr, code } = await run("add", "shed", "--plugin", "solar", "--expires", "3s", "--name", "Shed");
    assert.deepEqual([code, stderr], [0, ""]);
    const key = /^gla_\S+$/m.exec(stdout)?.[0] ?? "";
    secrets.push(key);
    folder.write("shed.json", '{"a": 1}');
    assert.equal((await run("config", "shed", "shed.json")).code, 0);
    assert.match((await run("list")).stdout, /^shed +solar +(waiting|expired) .*Shed$/m);
    assert.equal((await run("revoke", "nobody")).code, 1);
    assert.equal((await run("add", "roof")).code, 1);
    await eventually(async () => {
      const expired = await agent("config", undefined, key, "shed");
      assert.equal(expired.status, 401);
      assert.match(String(expired.json["detail"]), /expired/);
    }, 15_000);
    assert.equal((await agents()).find(({ id }) => id === "shed")?.state, "expired");
  });

  await t.test("no key is in an answer, the log, the metrics, or the database", async () => {
    const metrics = await (await gleaner.get("/metrics", { Authorization: `Bearer ${ADMIN}` })).text();
    const said = [metrics, JSON.stringify(gleaner.log()), gleaner.screen(), (await owner("GET", "")).text];
    await using db = await database.read(folder.path);
    const rows = JSON.stringify(await db.query("select * from agents"));
    for (const secret of secrets) for (const text of [...said, rows]) assert.ok(!text.includes(secret));
    assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  });

  await t.test("a restart knows its agents and shows what they report", async () => {
    await using again = await startGleaner(place);
    const told = await send(again.url, "POST", "/roof/metrics", roof, reportOf(new Date(), 9));
    assert.equal(told.status, 200);
    assert.equal((await scrape(again)).get('gleaner_agent_power_watts{target="roof"}'), 9);
  });
}

/** Reports while the process is killed: all that was answered with 200 is stored, and nothing twice. */
export async function checkKill(database: Database): Promise<void> {
  using folder = temporaryFolder();
  folder.write("gleaner.yaml", YAML);
  const place = { cwd: folder.path, env: { ...database.env } };
  const acknowledged = new Map<number, number>();
  let key = "";
  const base = Date.now() - 60_000;
  let n = 0;
  for (let round = 0; round < 3; round++) {
    await using gleaner = await startGleaner(place);
    if (round === 0) {
      key = String((await send(gleaner.url, "POST", "", ADMIN, { id: "roof", plugin: "solar" })).json["key"]);
      assert.equal((await send(gleaner.url, "POST", "/roof/register", key, DECLARED)).status, 200);
    }
    // Under the limit of a hundred a minute of the process that is there now.
    for (let i = 0; i < 90; i++, n++) {
      const body = { at: new Date(base + n * 100), samples: [{ metric: "power_watts", value: n }] };
      const sending = send(gleaner.url, "POST", "/roof/metrics", key, body).catch(() => undefined);
      // Somewhere within a report: before it arrives, while it is made durable, or while it is answered.
      if (i >= 8 + 8 * round) setTimeout(() => gleaner.signal("SIGKILL"), 2 * (i % 8));
      const answer = await sending;
      if (answer?.status === 200) acknowledged.set(base + n * 100, n);
      if (!answer) break;
    }
    gleaner.signal("SIGKILL");
    await gleaner.exited;
  }
  assert.ok(acknowledged.size >= 8 + 16 + 24, `${acknowledged.size} were answered`);
  await using last = await startGleaner(place);
  // An answer that was lost: the agent sends all of it again, as far as the limit goes.
  for (const [at, value] of [...acknowledged].slice(0, 50)) {
    const body = { at: new Date(at), samples: [{ metric: "power_watts", value }] };
    assert.equal((await send(last.url, "POST", "/roof/metrics", key, body)).status, 200);
  }
  await using db = await database.read(folder.path);
  await eventually(async () => {
    const rows = await db.query("select time from plugin_metrics where target_id = 'roof'");
    const stored = rows.map(({ time }) => new Date(time as number).getTime());
    assert.deepEqual(
      [...acknowledged.keys()].filter((at) => !stored.includes(at)),
      [],
      "missing",
    );
    assert.equal(new Set(stored).size, stored.length, "twice");
  });
}
