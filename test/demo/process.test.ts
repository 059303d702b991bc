import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { runDemo, shownFaults } from "../../src/demo/demo.ts";
import { startKits } from "../../src/demo/kit-sim.ts";
import { kitsYaml } from "../../src/demo/kits-yaml.ts";
import { readLedger } from "../../src/demo/ledger.ts";
import { rawGet, rawJson } from "./raw-client.ts";

const MAIN = fileURLToPath(new URL("../../src/demo/main.ts", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "gleaner-process-"));
after(() => rm(folder, { recursive: true }));

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function start(...args: string[]) {
  const child: Child = spawn(process.execPath, [MAIN, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const reply = async () => JSON.parse(String((await lines.next()).value));
  const ask = (command: string) => {
    child.stdin.write(`${command}\n`);
    return reply();
  };
  return { child, reply, ask, exit: once(child, "exit") as Promise<[number | null, string | null]> };
}

test("the process starts kits, writes kits.yaml, obeys commands, and stops by SIGTERM", async () => {
  const [ledger, yaml] = [join(folder, "ledger"), join(folder, "kits.yaml")];
  const counts = ["--kits", "3", "--drones", "4", "--aircraft", "0", "--signals", "2", "--seed", "5", "--fresh"];
  const { child, reply, ask, exit } = start(
    ...counts,
    "--faults",
    "3=http_503",
    "--ledger",
    ledger,
    "--kits-yaml",
    yaml,
  );
  const { ready, kits } = await reply();
  assert.equal(ready, true);
  const configured = parse(await readFile(yaml, "utf8")).kits as Record<string, unknown>[];
  assert.deepEqual(
    configured.map((kit) => kit["id"]),
    ["kit-001", "kit-002", "kit-003"],
  );
  for (const [i, kit] of configured.entries()) {
    assert.deepEqual([kit["name"], kit["location"], kit["enabled"]], [kits[i].name, kits[i].location, true]);
    assert.equal(kit["api_url"], kits[i].url);
  }
  assert.equal((await rawJson(kits[0].url, "/drones")).drones.length, 4);
  assert.match((await rawGet(kits[2].url, "/drones")).statusLine, / 503 /);
  assert.deepEqual(await ask("fault 1 refused"), { ok: true });
  assert.equal((await rawGet(kits[0].url, "/drones")).code, "ECONNREFUSED");
  assert.deepEqual(await ask("fault kit-001 healthy"), { ok: true });
  assert.equal((await rawJson(kits[0].url, "/signals")).signals.length, 2);
  assert.match((await ask("fault 7 hung")).error, /unknown kit kit-007/);
  assert.match((await ask("fault 1 sleepy")).error, /unknown fault "sleepy"/);
  assert.match((await ask("dance")).error, /unknown command "dance"; there are: fault, stats, flush, stop/);
  const stats = await ask("stats");
  assert.deepEqual([stats.rows, stats.kits["kit-003"].fault], [6, "http_503"]);
  assert.deepEqual(await ask("flush"), { ok: true });
  assert.equal((await readLedger(ledger)).length, 6);
  child.kill("SIGTERM");
  assert.deepEqual(await reply(), { stopped: true });
  assert.deepEqual(await exit, [0, null]);
});

test("stop ends the process, and so does the end of its input when asked", async () => {
  const [one, two] = [start("--kits", "1"), start("--kits", "1", "--stop-at-eof")];
  await Promise.all([one.reply(), two.reply()]);
  assert.deepEqual(await one.ask("stop"), { stopped: true });
  two.child.stdin.end();
  assert.deepEqual(await Promise.all([one.exit, two.exit]), [
    [0, null],
    [0, null],
  ]);
});

test("a wrong option is one line and exit code 1", async () => {
  for (const [args, message] of [
    [["--kits", "many"], /^--kits: expected a whole number, got many\n$/],
    [["--faults", "1=nap"], /^unknown fault "nap"; there are: /],
  ] as const) {
    const { child, exit } = start(...args);
    let text = "";
    for await (const chunk of child.stderr) text += chunk;
    assert.match(text, message);
    assert.deepEqual(await exit, [1, null]);
  }
});

test("the demo shows every state, can change it, and leaves nothing behind", async () => {
  const demo = await runDemo({ kits: 6, seed: 3 });
  assert.deepEqual(demo.faults, { "kit-006": "refused", "kit-005": "http_500", "kit-004": "frozen_status" });
  const { kits } = parse(await readFile(demo.kitsYaml, "utf8"));
  assert.deepEqual(
    kits.map((kit: { api_url: string }) => kit.api_url),
    demo.kits.map((kit) => kit.url),
  );
  const [first, , , , failing, off] = demo.kits.map((kit) => kit.url);
  assert.match((await rawGet(first ?? "", "/status")).statusLine, / 200 /);
  assert.match((await rawGet(failing ?? "", "/status")).statusLine, / 500 /);
  assert.equal((await rawGet(off ?? "", "/status")).code, "ECONNREFUSED");
  await demo.setFault("kit-001", "http_503");
  assert.match((await rawGet(first ?? "", "/status")).statusLine, / 503 /);
  await assert.rejects(demo.setFault("kit-010", "hung"), /unknown kit kit-010/);
  await demo.stop();
  assert.equal((await rawGet(first ?? "", "/status")).code, "ECONNREFUSED");
  await assert.rejects(access(demo.kitsYaml), { code: "ENOENT" });
  await demo.stop();
});

test("a demo that cannot start says so and leaves nothing behind", async () => {
  await assert.rejects(runDemo({ kits: 1, faults: { "kit-002": "hung" } }), /ended before they answered/);
});

test("at most half of the demo's kits misbehave", () => {
  assert.deepEqual(shownFaults(1), {});
  assert.equal(Object.keys(shownFaults(2)).length, 1);
  assert.equal(Object.keys(shownFaults(100)).length, 6);
});

test("names of any kind survive kits.yaml", () => {
  const kit = { id: "kit-001", uid: "u", url: "http://127.0.0.1:1", name: 'a "b": c\n# d', location: "- x: {" };
  const [read] = parse(kitsYaml([kit])).kits;
  assert.deepEqual([read.name, read.location], [kit.name, kit.location]);
});

test("200 kits start and stop and leave no handle open", async () => {
  const before = handles();
  const sim = await startKits({
    count: 200,
    ledger: join(folder, "200"),
    faults: { "kit-002": "hung", "kit-003": "drip" },
  });
  assert.equal(new Set(sim.kits.map((kit) => kit.url)).size, 200);
  assert.equal(new Set(sim.kits.map((kit) => kit.uid)).size, 200);
  // Open exchanges of each kind: answered, hung, dripping, and one without a request.
  const open = sim.kits.slice(1, 3).map(({ url }) => rawGet(url, "/drones"));
  assert.ok((await rawJson(sim.kits[199]?.url ?? "", "/drones")).drones.length > 0);
  await sim.setFault("kit-100", "refused");
  await sim.close();
  await Promise.all(open);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(handles(), before);
});

test("a port that is taken is an error, and the other kits are closed", async () => {
  const before = handles();
  const sim = await startKits({ count: 1 });
  const taken = Number(new URL(sim.kits[0]?.url ?? "").port);
  await assert.rejects(startKits({ count: 2, basePort: taken - 1 }), { code: "EADDRINUSE" });
  await sim.close();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(handles(), before);
});

test("a kit comes back on its own port, though another had it for a moment", async () => {
  const sim = await startKits({ count: 1 });
  const { hostname, port } = new URL(sim.kits[0]?.url ?? "");
  await sim.setFault(0, "refused");
  const other = createServer().listen(Number(port), hostname);
  await once(other, "listening");
  const back = sim.setFault(0, "healthy");
  other.close();
  await back;
  assert.match((await rawGet(sim.kits[0]?.url ?? "", "/status")).statusLine, / 200 /);
  await sim.close();
});

/** What keeps a process alive, sockets of finished child processes left out. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /TCP|Timeout/.test(kind))
    .sort();
}
