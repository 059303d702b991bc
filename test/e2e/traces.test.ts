import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { HASTE } from "./fleet.ts";

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
}
interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: Value }[];
  readonly status: { readonly code?: number; readonly message?: string };
}
interface Posted {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A local OTLP/HTTP collector of spans in JSON. */
async function spanCollector() {
  const spans: Span[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === "/v1/traces") {
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Posted;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    spans,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const attribute = (span: Span | undefined, name: string): unknown => {
  const value = span?.attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue));
};

test("every collection is one trace: schedule > collect > process > store", async () => {
  using folder = temporaryFolder();
  await using collector = await spanCollector();
  await using sim = await startSim(folder, { kits: 2, faults: { "kit-002": "garbage" } });
  // No id: taking the one it tells starts a job from within a collection, whose trace must not go on in the new job.
  const nameless = { api_url: sim.kits[0]?.url };
  folder.write("kits.yaml", JSON.stringify({ kits: [nameless, { id: "kit-002", api_url: sim.kits[1]?.url }] }));
  const env = {
    ...HASTE,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  };
  const kit = sim.kits[0]?.uid ?? "";
  await using gleaner = await startGleaner({ cwd: folder.path, env });
  await eventually(async () => {
    const runs = `gleaner_job_runs_total{target="${kit}",plugin="dragonsync",job="drones"}`;
    assert.ok(((await scrape(gleaner)).get(runs) ?? 0) >= 4);
  });
  assert.equal((await (await gleaner.get("/metrics/otel")).text()).includes("gleaner_runs_total"), true);
  // Stopping sends what is left.
  assert.equal((await gleaner.stop()).code, 0);

  const { spans } = collector;
  const childOf = (parent: Span | undefined, name: string) =>
    spans.find(
      (span) => span.name === name && span.parentSpanId === parent?.spanId && span.traceId === parent?.traceId,
    );
  const scheduled = spans.filter((span) => span.name === "schedule");
  assert.ok(
    scheduled.every((span) => !span.parentSpanId),
    "each run is a trace of its own",
  );
  assert.equal(new Set(scheduled.map((span) => span.traceId)).size, scheduled.length);

  const drones = scheduled.filter((span) => attribute(span, "target") === kit && attribute(span, "job") === "drones");
  assert.ok(drones.length >= 4);
  const [first] = drones;
  const collect = childOf(first, "collect");
  assert.deepEqual(
    ["plugin", "target", "job", "outcome", "attempts"].map((name) => attribute(collect, name)),
    ["dragonsync", kit, "drones", "ok", 1],
  );
  assert.ok(childOf(collect, "GET"), "the request is part of the collection");
  assert.ok(Number(attribute(childOf(first, "process"), "rows")) > 0);
  assert.ok(Number(attribute(childOf(first, "store"), "rows")) > 0);

  const failed = spans.find((span) => span.name === "collect" && attribute(span, "target") === "kit-002");
  assert.equal(failed?.status.code, 2);
  assert.equal(attribute(failed, "outcome"), "failed");

  const flushes = spans.filter((span) => span.name === "flush");
  assert.ok(flushes.length > 0 && flushes.every((span) => !span.parentSpanId), "a write is many collections'");
  assert.ok(flushes.some((span) => Number(attribute(span, "stored")) > 0));
});
