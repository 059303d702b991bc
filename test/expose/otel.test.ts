import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { noTelemetry, startTelemetry } from "../../src/expose/otel.ts";
import { sayRarely } from "../../src/expose/say-rarely.ts";
import { parseText } from "../support/text-format.ts";

interface Outcome {
  readonly result: string;
  readonly thrown: string;
  readonly text: string;
  readonly shutdownMs: number;
  readonly unhandled: readonly string[];
  readonly logged: readonly string[];
}

/** Runs one collection in its own process with only these OTEL_ variables. */
async function collection(env: Record<string, string>): Promise<Outcome & { stderr: string; lines: number }> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("OTEL_"));
  const script = fileURLToPath(new URL("./otel/collection.ts", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
    env: { ...Object.fromEntries(inherited), ...env },
  });
  return { ...(JSON.parse(stdout) as Outcome), stderr, lines: stdout.trim().split("\n").length };
}

/** A local OTLP/HTTP collector that keeps what it is sent, by path. */
async function otlpCollector() {
  const received: { path: string; contentType: string; body: Buffer }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    received.push({ path: request.url ?? "", contentType: request.headers["content-type"] ?? "", body });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sent = (path: string): string =>
    received
      .filter((post) => post.path === path)
      .map(({ body }) => body.toString("latin1"))
      .join("\n");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    sent,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Checks what must be so whatever the variables say. */
function assertSound(outcome: Outcome): void {
  assert.equal(outcome.result, "ok");
  assert.equal(outcome.thrown, "on purpose");
  assert.deepEqual(outcome.unhandled, []);
  assert.ok(outcome.shutdownMs < 2_300, `shutdown took ${outcome.shutdownMs} ms`);
  assert.match(outcome.text, /^gleaner_runs_total\{plugin="dragonsync",job="drones",status="ok"\} 1$/m);
}

describe("without OTLP", () => {
  test("nothing is sent, nothing is said, and it stops at once", async () => {
    const outcome = await collection({});
    assertSound(outcome);
    assert.equal(outcome.stderr, "");
    assert.equal(outcome.lines, 1);
    assert.deepEqual(outcome.logged, []);
    assert.ok(outcome.shutdownMs < 200, `shutdown took ${outcome.shutdownMs} ms`);
  });

  test("OTEL_SDK_DISABLED wins over an endpoint", async () => {
    await using collector = await otlpCollector();
    assertSound(await collection({ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }));
    assert.deepEqual(collector.received, []);
  });

  test("/metrics/otel counts runs and how long they took", async () => {
    const telemetry = await startTelemetry({ version: "1", env: {} });
    assert.match(await telemetry.scrapeText(), /\n$/);
    telemetry.recordRun("p", "j", "ok", 0.02);
    telemetry.recordRun("p", "j", "failed", 3);
    const text = (await telemetry.scrapeText()).replace(/^# UNIT .*\n/gm, "");
    const families = parseText(Buffer.from(text));
    const count = families
      .flatMap(({ samples }) => samples)
      .find(({ name }) => name.endsWith("duration_seconds_count"));
    assert.deepEqual(
      families.map(({ name, type }) => [name, type]),
      [
        ["gleaner_runs_total", "counter"],
        ["gleaner_run_duration_seconds", "histogram"],
      ],
    );
    assert.equal(count?.value, 2);
    await telemetry.shutdown();
    await telemetry.shutdown();
  });
});

describe("with OTLP", () => {
  test("spans, instrumented libraries and metrics arrive as protobuf", async () => {
    await using collector = await otlpCollector();
    const outcome = await collection({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    assertSound(outcome);
    assert.equal(outcome.stderr, "");
    assert.equal(outcome.lines, 1);
    const traces = collector.sent("/v1/traces");
    for (const name of ["schedule", "collect", "failing", "on purpose", "answer", "GET /kits/:id"]) {
      assert.ok(traces.includes(name), `no ${name} in the traces`);
    }
    for (const library of ["instrumentation-undici", "instrumentation-http", "instrumentation-express"]) {
      assert.ok(traces.includes(library), `no span of ${library}`);
    }
    const metrics = collector.sent("/v1/metrics");
    for (const name of ["gleaner.runs", "gleaner.run.duration.seconds", "dragonsync"])
      assert.ok(metrics.includes(name));
    assert.ok(traces.includes("service.name") && traces.includes("gleaner"));
    assert.deepEqual(
      new Set(collector.received.map(({ contentType }) => contentType)),
      new Set(["application/x-protobuf"]),
    );
    assert.equal(collector.sent("/v1/logs"), "");
  });

  test("collections are one trace: each span is the child of the one around it", async () => {
    await using collector = await otlpCollector();
    await collection({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/custom`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_SERVICE_NAME: "my-gleaner",
    });
    assert.equal(collector.sent("/v1/metrics"), "", "only traces have an endpoint");
    const posts = collector.received
      .filter(({ path }) => path === "/custom")
      .map(({ body }) => JSON.parse(body.toString()));
    interface Span {
      readonly name: string;
      readonly traceId: string;
      readonly spanId: string;
      readonly parentSpanId?: string;
      readonly status: { readonly code: number; readonly message?: string };
    }
    interface Post {
      readonly resourceSpans: readonly {
        readonly resource: {
          readonly attributes: readonly { readonly key: string; readonly value: { stringValue?: string } }[];
        };
        readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
      }[];
    }
    const resources = (posts as Post[]).flatMap(({ resourceSpans }) => resourceSpans);
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const span = (name: string): Span | undefined => spans.find((candidate) => candidate.name === name);
    const serviceName = resources[0]?.resource.attributes.find(({ key }) => key === "service.name");
    assert.equal(serviceName?.value.stringValue, "my-gleaner");
    assert.ok(span("collect")?.spanId);
    assert.equal(span("collect")?.parentSpanId, span("schedule")?.spanId);
    const poll = spans.find(({ parentSpanId }) => parentSpanId === span("collect")?.spanId);
    assert.equal(poll?.name, "GET", "undici's request is a child of the collection");
    assert.equal(poll?.traceId, span("schedule")?.traceId);
    assert.deepEqual(span("failing")?.status, { code: 2, message: "on purpose" });
  });

  test("an endpoint that is down: collections go on, it stops in time, and says so once", async () => {
    const closed = createTcpServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const outcome = await collection({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_SCHEDULE_DELAY: "10",
      OTEL_EXPORTER_OTLP_TIMEOUT: "100",
    });
    assertSound(outcome);
    assert.equal(outcome.stderr, "");
    assert.equal(outcome.logged.length, 1);
    assert.match(outcome.logged[0] ?? "", /^telemetry export failed: .*(ECONNREFUSED|[Tt]ime).*$/);
    assert.ok((outcome.logged[0] ?? "").length < 250);
  });

  test("an endpoint that never answers: it stops in time", async () => {
    const sockets: Socket[] = [];
    const mute = createTcpServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    assertSound(await collection({ OTEL_EXPORTER_OTLP_ENDPOINT: url }));
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });
});

test("no telemetry runs the work and nothing else", async () => {
  const answer = await noTelemetry.run("x", {}, async (span) => {
    span.set({ a: 1 });
    span.fail("no");
    return 42;
  });
  assert.equal(answer, 42);
  await assert.rejects(
    noTelemetry.run("x", {}, () => Promise.reject(new Error("mine"))),
    /mine/,
  );
  noTelemetry.recordRun("p", "j", "ok", 1);
  assert.match(await noTelemetry.scrapeText(), /^#.*\n$/);
  await noTelemetry.shutdown();
});

test("a voice that repeats itself is heard once a minute", () => {
  let now = 0;
  const heard: string[] = [];
  const say = sayRarely(
    (message) => heard.push(message),
    () => now,
  );
  for (now = 0; now < 180_000; now += 5_000) say(`at ${now}`);
  assert.deepEqual(heard, ["at 0", "at 60000", "at 120000"]);
});
