import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createHttpClient } from "../../src/collect/http.ts";
import type { Context, Plugin } from "../../src/model/plugin.ts";
import { CollectError, type ErrorKind } from "../../src/model/run.ts";
import type { Collected, Rejection } from "../../src/model/sample.ts";
import { deriveSamples } from "../../src/process/derive.ts";
import { contextOf, undeclared } from "./plugins.ts";

/** What a collection brought back, to be asked about. */
export interface Harvest {
  /** The value of a series. @throws when there is none, or more than one */
  value(metric: string, labels?: Readonly<Record<string, string>>): number;
  /** Values by the value of one label. */
  by(metric: string, label: string): Readonly<Record<string, number>>;
  readonly metrics: readonly string[];
  readonly rejected: readonly Rejection[];
}

const harvestOf = ({ samples, rejected = [] }: Collected): Harvest => ({
  rejected,
  metrics: [...new Set(samples.map(({ metric }) => metric))],
  value(metric, labels = {}) {
    const found = samples.filter(
      (one) => one.metric === metric && Object.entries(labels).every(([name, value]) => one.labels?.[name] === value),
    );
    assert.equal(found.length, 1, `${found.length} series ${metric}${JSON.stringify(labels)}`);
    return found[0]?.value ?? Number.NaN;
  },
  by: (metric, label) =>
    Object.fromEntries(
      samples.filter((one) => one.metric === metric).map(({ labels, value }) => [labels?.[label] ?? "", value]),
    ),
});

/**
 * Runs one job of a plugin once, as a target with this configuration, over the collector's own HTTP client, and derives. Holds what comes
 * back to the plugin's declarations: nothing undeclared, nothing twice, nothing over its cap.
 */
export async function collect(
  plugin: Plugin,
  config: unknown,
  { job, ...overrides }: Partial<Context> & { readonly job?: string } = {},
): Promise<Harvest> {
  const work = plugin.jobs[job ?? Object.keys(plugin.jobs)[0] ?? ""];
  assert.ok(work);
  const http = createHttpClient();
  try {
    const target = { id: "test", config: plugin.config.parse(config), tags: {} };
    const collected = await work.collect(target, contextOf({ http, ...overrides }));
    assert.deepEqual(undeclared(plugin, collected), []);
    const derived = deriveSamples(plugin, collected.samples);
    assert.deepEqual(derived.rejected, []);
    return harvestOf({ ...collected, samples: [...collected.samples, ...derived.samples] });
  } finally {
    await http.close();
  }
}

/** Asserts that a collection fails with this kind of error, says this, and never a word of the secrets. */
export async function fails(
  plugin: Plugin,
  config: unknown,
  kind: ErrorKind,
  message: RegExp,
  ...secrets: readonly string[]
): Promise<void> {
  await assert.rejects(collect(plugin, config), (error) => {
    assert.ok(error instanceof CollectError, String((error as Error).stack));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    for (const secret of secrets) assert.ok(!error.message.includes(secret), error.message);
    return true;
  });
}

/**
 * Asserts that a collection from a server that accepts connections and never says a word ends within 100 ms of the abort,
 * with the abort's own reason, and that it leaves no connection behind.
 * @param configOf the plugin's configuration for the server's port
 */
export async function endsWhenAborted(plugin: Plugin, configOf: (port: number) => unknown): Promise<void> {
  const peers = new Set<Socket>();
  const server = createServer((peer) => {
    peers.add(peer);
    peer
      .on("error", () => undefined)
      .on("close", () => peers.delete(peer))
      .resume();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const deadline = new AbortController();
    const reason = new CollectError("timeout", "the test is impatient");
    const run = collect(plugin, configOf((server.address() as AddressInfo).port), { signal: deadline.signal });
    const verdict = run.then(
      () => "resolved",
      (error: unknown) => error,
    );
    for (let waited = 0; peers.size === 0 && waited < 5_000; waited += 5) await delay(5);
    assert.equal(peers.size, 1, "it connects");
    deadline.abort(reason);
    assert.equal(await Promise.race([verdict, delay(100, "late")]), reason);
    for (let waited = 0; peers.size > 0 && waited < 1_000; waited += 5) await delay(5);
    assert.equal(peers.size, 0, "it leaves no connection");
  } finally {
    for (const peer of peers) peer.destroy();
    server.close();
  }
}

/**
 * A server on the loopback that answers whatever it is asked first with these bytes, and then ends the connection.
 * @param options.first it does not wait to be asked
 */
export async function answering(
  bytes: string | Uint8Array,
  { first = false } = {},
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((peer) => {
    peer.on("error", () => undefined).once("data", () => peer.end(bytes));
    if (first) peer.end(bytes);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
