import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { readDeclaration } from "../../src/isolate/declaration.ts";
import { commandOf, environmentOf } from "../../src/isolate/launch.ts";
import { locate } from "../../src/isolate/locate.ts";
import { manifestOf, sha256 } from "../../src/isolate/manifest.ts";
import { readMessage } from "../../src/isolate/messages.ts";
import { readLines } from "../../src/isolate/output.ts";
import { createRestarts } from "../../src/isolate/restarts.ts";
import { createThrottle } from "../../src/isolate/throttle.ts";
import { createMeter } from "../../src/isolate/watch.ts";
import { externalId } from "../../src/model/external.ts";
import { temporaryFolder } from "../support/folder.ts";
import { named } from "./support.ts";

const DECLARED = {
  ...{ id: "it", title: "It", summary: "It is one.", category: "custom", version: "1.0.0", enabledByDefault: false },
  metrics: { it_value: { help: "A value." } },
  jobs: { main: { summary: "Reads.", every: 1_000 } },
};

describe("what a process declares", () => {
  const faultsOf = (given: unknown) => readDeclaration(given, "it").faults.map(({ message }) => message);

  it("is held to the contract of every plugin", () => {
    assert.deepEqual(readDeclaration(DECLARED, "it").declaration, DECLARED);
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ id: "other" }, /^the id other is not the file's name it$/],
      [{ version: "1" }, /^the version is not/],
      [{ metrics: { it_wait_ms: { help: "A wait." } } }, /fails the linter/],
      [{ metrics: { it_parts: { help: "Parts.", labels: ["serial"] } } }, /has no maxSeries/],
      [
        { metrics: { it_parts: { help: "Parts.", labels: ["serial"], maxSeries: 1e9 } } },
        /^metrics.it_parts.maxSeries: /,
      ],
      [{ jobs: {} }, /^there are no jobs$/],
      [{ jobs: { main: { summary: "Reads.", every: 1 } } }, /^jobs.main.every: /],
      [{ health: "kit" }, /^health: only gleaner's own plugins are of kits$/],
    ];
    for (const [over, said] of wrong) assert.match(faultsOf({ ...DECLARED, ...over })[0] ?? "", said);
  });

  it("of whatever kind never throws", () => {
    fc.assert(fc.property(fc.jsonValue(), (given) => assert.ok(faultsOf(given).length > 0)));
    const key = fc.constantFrom(...Object.keys(DECLARED), "config", "__proto__", "health");
    fc.assert(
      fc.property(key, fc.jsonValue(), (name, value) => {
        readDeclaration(JSON.parse(JSON.stringify({ ...DECLARED, [name]: value })), "it");
      }),
    );
  });

  it("and says otherwise is a message that fits, or no message", () => {
    const read = (value: unknown) => readMessage(Buffer.from(JSON.stringify(value)));
    assert.deepEqual(read({ type: "pong", n: 1, more: "x".repeat(100) }), { type: "pong", n: 1 });
    for (const value of [
      null,
      {},
      { type: "pong" },
      { type: "run", n: 1 },
      { type: "log", level: "fatal", message: "" },
    ])
      assert.throws(() => read(value), JSON.stringify(value));
  });
});

describe("where a plugin is", () => {
  it("goes by its name", () => {
    assert.equal(externalId({ file: "./plugins/tank-level.ts" }), "tank_level");
    assert.equal(externalId({ file: "/opt/a.b/tank_level.mjs" }), "tank_level");
    assert.equal(externalId({ package: "@acme/gleaner-plugin-tank-level" }), "tank_level");
    assert.equal(externalId({ package: "tank" }), "tank");
  });

  it("is in the folder of gleaner.yaml, links followed, or named by an absolute path", async () => {
    using folder = temporaryFolder();
    using outside = temporaryFolder();
    const file = outside.write("out.ts", "");
    symlinkSync(file, folder.at("link.ts"));
    await assert.rejects(locate(named(folder.path, { file: "./link.ts" })), /leads out of the folder of gleaner.yaml/);
    assert.deepEqual((await locate(named(folder.path, { file }))).own, [file]);
    await assert.rejects(locate(named(folder.path, { file: "./absent.ts" })), /there is no file/);
  });

  it("has its parts beside it, and nothing else of the folder", async () => {
    using folder = temporaryFolder();
    const file = folder.write("tank.ts", "one");
    folder.write("gleaner.yaml", "a secret");
    const alone = await locate(named(folder.path, { file: "./tank.ts" }));
    assert.equal((await manifestOf(alone.folder, alone.own)).digest, sha256("one"), "what sha256sum prints");
    mkdirSync(folder.at("tank/node_modules"), { recursive: true });
    writeFileSync(folder.at("tank/part.ts"), "two");
    writeFileSync(folder.at("tank/node_modules/x.js"), "not its own");
    const place = await locate(named(folder.path, { file: "./tank.ts" }));
    assert.deepEqual(place.own, [file, folder.at("tank")]);
    const { files, digest } = await manifestOf(place.folder, place.own);
    assert.deepEqual(files, { [file]: sha256("one"), [folder.at("tank/part.ts")]: sha256("two") });
    assert.equal(digest, sha256(`${sha256("one")}  tank.ts\n${sha256("two")}  tank/part.ts\n`));
  });
});

describe("how a process is started", () => {
  const place = { entry: { file: "/p/it.ts" }, folder: "/p", own: ["/p/it.ts"], dependencies: [] };
  const all = { setpriv: true, prlimit: true, unshare: ["--net"] };

  it("is with Node's permission model, and bounded by what the system has", () => {
    const { file, args } = commandOf(named("/p", { read: ["/sys/x"] }), place, all);
    assert.equal(file, "setpriv");
    for (const arg of [
      "--pdeathsig",
      "prlimit",
      "--nofile=256",
      "--permission",
      "--allow-fs-read=/p/it.ts",
      "--allow-fs-read=/sys/x",
    ])
      assert.ok(args.includes(arg), arg);
    assert.ok(!args.some((arg) => /allow-(child|worker|fs-write|addons)/.test(arg)) && !args.includes("unshare"));
    const bare = commandOf(named("/p"), place, { setpriv: false, prlimit: false, unshare: undefined });
    assert.deepEqual([bare.file, bare.args[0]], [process.execPath, "--permission"]);
  });

  it("lets it do what its owner says, and no more", () => {
    const { file, args } = commandOf(named("/p", { allow: ["child_processes"] }), place, all);
    assert.deepEqual([file, args[0]], ["unshare", "--net"], "without a network");
    assert.ok(args.includes("--allow-child-process") && !args.includes("--allow-worker"));
    assert.deepEqual(environmentOf(named("/p", { env: ["A", "C"] }), { A: "1", B: "2" }), { A: "1" });
  });
});

describe("bounds", () => {
  it("of lost processes double, and are forgotten after a while", () => {
    let now = 0;
    const restarts = createRestarts(() => now);
    const wait = () => {
      restarts.lost("it fell");
      const from = now;
      for (; ; now += 500) {
        try {
          restarts.check();
          return now - from;
        } catch (error) {
          assert.match(String(error), /lost \d+ times, and starts again in \d+ s: it fell/);
        }
      }
    };
    assert.deepEqual(Array.from({ length: 9 }, wait), [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    now += 200_000;
    assert.deepEqual([wait(), restarts.count()], [0, 10]);
  });

  it("of lines and messages are by time", () => {
    let now = 0;
    const mayPass = createThrottle(2, 3, () => now);
    const passed = (n: number) => Array.from({ length: n }, mayPass).filter(Boolean).length;
    assert.equal(passed(10), 3);
    now += 1_000;
    assert.equal(passed(10), 2);
    const meter = createMeter({ messages: 2, bytes: 100 }, () => now);
    assert.deepEqual([meter.add(1, 50), meter.add(1, 50), meter.add(0, 1)], [true, true, false]);
    now += 1_001;
    assert.deepEqual([meter.add(3, 1)], [false]);
  });

  it("of what a process prints hold it up, and lose no gleaner", async () => {
    const stream = new PassThrough({ highWaterMark: 64 * 1024 });
    const lines: string[] = [];
    readLines(stream, (line) => void lines.push(line));
    stream.write("one\ntw");
    stream.write(`o\n\n${"x".repeat(5_000)}\n`);
    await sleep(10);
    assert.deepEqual(
      lines.map((line) => line.slice(0, 3)),
      ["one", "two", "xxx"],
    );
    assert.equal(lines[2]?.length, 1_000);
    let written = 0;
    while (written < 8 * 1024 * 1024 && stream.write(Buffer.alloc(64 * 1024, "y"))) {
      written += 64 * 1024;
      await sleep(0);
    }
    assert.ok(written < 2 * 1024 * 1024, `${written} bytes were read within a second`);
    stream.destroy();
  });
});
