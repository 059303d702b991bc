// What every file in src/plugins must be, whatever it collects. A new plugin gets these tests for nothing.
// src/contract/ has the part that declarations tell, which `gleaner plugins validate` checks too.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { createHttpClient } from "../../src/collect/http.ts";
import { inputSchema } from "../../src/contract/config.ts";
import { leftOpen } from "../../src/contract/left-open.ts";
import { linted } from "../../src/contract/metrics.ts";
import { pluginFaults } from "../../src/contract/plugin.ts";
import { shapeFaults } from "../../src/contract/shape.ts";
import { claimedNames } from "../../src/expose/format.ts";
import { createSelf } from "../../src/expose/self.ts";
import { canonicalPluginId, type Plugin } from "../../src/model/plugin.ts";
import { configOf, findCases } from "../support/cases.ts";
import { contextOf, loadPlugins, undeclared } from "../support/plugins.ts";

/** How long a run may go on when it is over (ms). */
const END_MS = 100;
/** How long a run is let go on before it is over (ms): connections are open by then, and wait for an answer. */
const UNDER_WAY_MS = 60;

const plugins = await loadPlugins();
const cases = await findCases();

/** Objects of odd descent or with keys that JavaScript gives a meaning: refused, or as good as an empty configuration. */
const ODD: readonly (readonly [string, unknown])[] = [
  ["a date", new Date(0)],
  ["__proto__", JSON.parse('{"__proto__": {"polluted": true}}')],
  ["constructor", JSON.parse('{"constructor": {"prototype": {"polluted": true}}}')],
];
const MEGABYTE = "x".repeat(1_000_000);
const HOSTILE_VALUES = [null, [], [[]], {}, -1, Number.NaN, 1e308, MEGABYTE, [MEGABYTE], "", "\0", "(", true];

const fieldsOf = (plugin: Plugin) => Object.keys(inputSchema(plugin).properties ?? {});

/** A server that takes connections, reads, and never says a word. */
async function silence(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(
      socket
        .resume()
        .on("error", () => undefined)
        .on("close", () => sockets.delete(socket)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return {
    port: address.port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A value for a field of which the name says that it is an address. */
function addressOf(field: string, port: number): unknown {
  if (/(^|_)port$/.test(field)) return port;
  if (/(^|_)(hosts|addresses)$/.test(field)) return ["127.0.0.1"];
  if (/(^|_)(servers|urls|targets|brokers|endpoints)$/.test(field)) return [`http://127.0.0.1:${port}`];
  return /(^|_)(host|address|hostname)$/.test(field) ? "127.0.0.1" : `http://127.0.0.1:${port}`;
}

/** The example that a field's schema has, on this machine's port. */
function exampleOf(field: unknown, port: number): unknown {
  const { example } = field as { readonly example?: unknown };
  return example === undefined
    ? undefined
    : JSON.parse(JSON.stringify(example).replaceAll(/127\.0\.0\.1:\d+/g, `127.0.0.1:${port}`));
}

/**
 * A configuration the plugin accepts, where it can be one that leads to an address: that of one of its cases, its required
 * fields with their examples or the address, or none at all.
 */
async function acceptedConfig(plugin: Plugin, port: number): Promise<unknown> {
  const { required = [], properties = {} } = inputSchema(plugin);
  const places = Object.keys(properties).filter((field) => /(^|_)(host|port)$/.test(field));
  const filled = (fields: readonly string[]) =>
    Object.fromEntries(fields.map((field) => [field, addressOf(field, port)]));
  const examples = required.map((field) => [field, exampleOf(properties[field], port) ?? addressOf(field, port)]);
  const ofCases = cases
    .filter((one) => one.plugin === plugin.id)
    .map(async (one) => {
      const config = await configOf(one, `http://127.0.0.1:${port}`);
      return [{ ...(config as object), ...filled(places) }, config];
    });
  const candidates: unknown[] = [
    ...(await Promise.all(ofCases)).flat(),
    { ...filled(places), ...Object.fromEntries(examples) },
    filled([...required, ...places]),
    filled(required),
    {},
  ];
  const accepted = candidates.map((candidate) => plugin.config.safeParse(candidate)).find(({ success }) => success);
  assert.ok(accepted, `${plugin.id} accepts no empty configuration, so it needs a folder under its cases`);
  return accepted.data;
}

/** Whether a run settles within the time there is for it. Not referenced: this timer must not count as left open. */
const settles = (run: Promise<unknown>, ms: number): Promise<string> =>
  Promise.race([
    run.then(
      () => "resolved",
      () => "rejected",
    ),
    delay(ms, "late", { ref: false }),
  ]);

test("there are plugins", () => assert.ok(plugins.length > 0));

for (const { name, plugin } of plugins) {
  test(`${name}: declares itself as every plugin does`, () => {
    assert.deepEqual(shapeFaults(plugin), []);
    assert.deepEqual(pluginFaults(plugin, name), []);
    assert.equal(canonicalPluginId(plugin.id.replaceAll("_", "-")), plugin.id);
  });

  for (const [what, odd] of ODD) {
    test(`${name}: takes no harm from ${what} in its configuration`, () => {
      const parsed = plugin.config.safeParse(odd);
      if (parsed.success) assert.deepEqual(parsed.data, plugin.config.parse({}));
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    });
  }

  test(`${name}: refuses with a message, or accepts, any value in any field`, async () => {
    const accepted = (await acceptedConfig(plugin, 9)) as object;
    const judge = (config: unknown) => {
      const { error } = plugin.config.safeParse(config);
      for (const { message } of error?.issues ?? []) assert.ok(message !== "" && message.length < 10_000);
      return error;
    };
    for (const field of fieldsOf(plugin)) {
      for (const value of HOSTILE_VALUES) judge({ ...accepted, [field]: value });
      assert.ok(judge({ ...accepted, [field]: () => undefined }), field);
    }
    // Objects without a prototype are left out: neither YAML nor JSON makes them, and zod itself trips over `{length: …}` of one.
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true });
    fc.assert(
      fc.property(anything, (config) => void judge(config)),
      { numRuns: 50 },
    );
    const some = fc.record(Object.fromEntries(fieldsOf(plugin).map((field) => [field, anything])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(some, (config) => void judge({ ...accepted, ...config })),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z_]{1,20}$/), (key) => {
        if (!fieldsOf(plugin).includes(key))
          assert.ok(judge({ ...accepted, [key]: 1 }), `takes the unknown key ${key}`);
      }),
      { numRuns: 20 },
    );
  });

  test(`${name}: a run that is over before it starts rejects at once and leaves nothing open`, async () => {
    const config = await acceptedConfig(plugin, 9);
    const left = await leftOpen(async () => {
      const http = createHttpClient();
      for (const [job, { collect }] of Object.entries(plugin.jobs)) {
        const context = contextOf({ signal: AbortSignal.abort(new Error("over")), http });
        const run = (async () => collect({ id: "contract", config, tags: {} }, context))();
        assert.equal(await settles(run, END_MS), "rejected", job);
        await plugin.close?.(context.state);
      }
      await http.close();
    });
    assert.deepEqual(left, []);
  });

  test(`${name}: a run that is ended while it waits for an answer ends at once and leaves nothing open`, async (t) => {
    const server = await silence();
    // Also where the run goes on: the server would keep this file from ending.
    t.after(() => server.close());
    const config = await acceptedConfig(plugin, server.port);
    const left = await leftOpen(async () => {
      const http = createHttpClient();
      for (const [job, { collect }] of Object.entries(plugin.jobs)) {
        const over = new AbortController();
        const context = contextOf({ signal: over.signal, http });
        const run = (async () => collect({ id: "contract", config, tags: {} }, context))();
        if ((await settles(run, UNDER_WAY_MS)) === "late") {
          over.abort(new Error("over"));
          assert.notEqual(await settles(run, END_MS), "late", `${job} goes on`);
        }
        await plugin.close?.(context.state);
      }
      await http.close();
    });
    assert.deepEqual(left, []);
  });

  // The others need something to collect from: their case folders hold them to the same.
  if (!plugin.enabledByDefault) continue;
  test(`${name}: emits nothing it has not declared`, async () => {
    const config = plugin.config.parse({});
    const left = await leftOpen(async () => {
      for (const { collect } of Object.values(plugin.jobs)) {
        const collected = await collect({ id: "contract", config, tags: {} }, contextOf());
        assert.ok(collected.samples.length > 0);
        assert.deepEqual(undeclared(plugin, collected), []);
      }
    });
    assert.deepEqual(left, []);
  });
}

const metricsOf = (plugin: Plugin) => Object.entries(plugin.metrics);

test("no two plugins declare the same metric", () => {
  const owners = plugins.flatMap(({ name, plugin }) => metricsOf(plugin).map(([key]) => ({ key, name })));
  const twice = owners.filter(({ key }, i) => owners.findIndex((other) => other.key === key) !== i);
  assert.deepEqual(twice, []);
});

test("no metric of a plugin takes a name of another, or of gleaner itself, in either format", () => {
  const self = createSelf({ version: "0.0.0" });
  const taken = new Map([...self.names()].map((name) => [name, "gleaner itself"]));
  self.close();
  const clashes = plugins.flatMap(({ plugin }) =>
    metricsOf(plugin).flatMap(([key, { type = "gauge" }]) => {
      const names = claimedNames(`gleaner_${key}`, type);
      const found = names.filter((name) => taken.has(name)).map((name) => `${key}: ${name} is of ${taken.get(name)}`);
      for (const name of names) taken.set(name, key);
      return found;
    }),
  );
  assert.deepEqual(clashes, []);
});

test("promtool finds no fault with all declared metrics, where it is installed", (t) => {
  const families = plugins.flatMap(({ plugin }) => metricsOf(plugin).map(([key, spec]) => linted(key, spec)));
  const input = families.map(({ name, help, type, labels }) => {
    const set = labels.map((label) => `${label}="x"`).join(",");
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${set ? `{${set}}` : ""} 1\n`;
  });
  const { status, stderr, error } = spawnSync("promtool", ["check", "metrics"], {
    input: input.join(""),
    encoding: "utf8",
  });
  if (error) return t.skip("promtool is not installed");
  assert.equal(stderr, "");
  assert.equal(status, 0);
});
