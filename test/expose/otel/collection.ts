// Run by otel.test.ts in a process of its own, as OpenTelemetry patches modules and globals for good:
// one collection in nested spans, with the libraries that are instrumented, and what became of it as one line of JSON.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type Express from "express";
import { startTelemetry } from "../../../src/expose/otel.ts";

const unhandled: string[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(String(reason)));
const logged: string[] = [];
const log = (_fields: object, message: string): unknown => logged.push(message);

const telemetry = await startTelemetry({
  version: "1.2.3",
  env: process.env,
  log: { debug: log, info: log, warn: log, error: log },
});
const express = createRequire(import.meta.url)("express") as typeof Express;
const { request } = await import("undici");

const app = express();
app.get("/kits/:id", (_request, response) => {
  response.end("ok");
});
const server = createServer(app);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;

const result = await telemetry.run("schedule", { job: "drones" }, () =>
  telemetry.run("collect", { target: "kit-1" }, async (span) => {
    const { body } = await request(`http://127.0.0.1:${port}/kits/1`);
    span.set({ answer: "kept" });
    return body.text();
  }),
);
const thrown = await telemetry
  .run("failing", {}, () => Promise.reject(new Error("on purpose")))
  .catch((error: Error) => error.message);
telemetry.recordRun("dragonsync", "drones", "ok", 0.25);
const text = await telemetry.scrapeText();

const start = performance.now();
await telemetry.shutdown();
const shutdownMs = performance.now() - start;
await new Promise((resolve) => server.close(resolve));
console.log(JSON.stringify({ result, thrown, text, shutdownMs, unhandled, logged }));
process.exit(0);
