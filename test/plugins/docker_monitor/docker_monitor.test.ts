// Over a real unix socket: recorded answers, and Podman's own server, which speaks Docker's protocol.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { inspectSamples, parseListing, statsSamples } from "../../../src/plugins/docker/container.ts";
import { diskSamples } from "../../../src/plugins/docker/disk.ts";
import { engineAt } from "../../../src/plugins/docker/engine.ts";
import { dockerMonitor } from "../../../src/plugins/docker_monitor.ts";
import { collect, endsWhenAborted, fails } from "../../support/collect.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { serveRecorded } from "../../support/recorded_server.ts";
import { startPodman } from "../../support/servers/podman.ts";
import { withoutServer } from "../../support/servers/service.ts";

const RECORDED = join(import.meta.dirname, "cases/docker-24/http");

it("reads an engine over its unix socket", async () => {
  using folder = temporaryFolder();
  const recorded = await serveRecorded(RECORDED);
  const socket = createServer((from) => {
    const to = connect(Number(new URL(recorded.url).port), "127.0.0.1");
    from.pipe(to).pipe(from);
    for (const end of [from, to]) end.on("error", () => [from, to].map((one) => one.destroy()));
  });
  await once(socket.listen(folder.at("docker.sock")), "listening");
  try {
    const harvest = await collect(dockerMonitor, { url: `unix://${folder.at("docker.sock")}` });
    assert.deepEqual(harvest.rejected, []);
    assert.equal(harvest.value("docker_containers", { state: "running" }), 2);
    assert.equal(harvest.value("container_memory_usage_bytes", { name: "caddy" }), 64352256 - 18800640);
    const named = { exclude_containers: ["c.*"], max_containers: 1 };
    const less = await collect(dockerMonitor, { url: `unix://${folder.at("docker.sock")}`, ...named });
    assert.deepEqual(Object.keys(less.by("container_cpu_seconds_total", "name")), ["old"]);
    assert.equal(less.value("docker_containers", { state: "running" }), 2);
  } finally {
    socket.close();
    await recorded.close();
  }
});

it("reads Podman's own server", { skip: withoutServer("podman") }, async () => {
  using folder = temporaryFolder();
  const engine = await startPodman(folder, ["first", "second"]);
  try {
    const url = `unix://${engine.socket}`;
    const harvest = await collect(dockerMonitor, { url });
    assert.equal(harvest.value("docker_containers", { state: "created" }), 2);
    assert.equal(harvest.value("container_state", { name: "first", state: "created" }), 1);
    assert.deepEqual(harvest.by("container_restarts_total", "name"), { first: 0, second: 0 });
    const disk = await collect(dockerMonitor, { url }, { job: "disk" });
    assert.equal(disk.value("docker_images"), 1);
  } finally {
    await engine.stop();
  }
});

it("says that there is no engine", async () => {
  await fails(
    dockerMonitor,
    { url: "unix:///nonexistent.sock" },
    "unreachable",
    /the engine at \/nonexistent\.sock: there is no such socket/,
  );
  await fails(
    dockerMonitor,
    { url: "tcp://127.0.0.1:1" },
    "unreachable",
    /the engine at 127\.0\.0\.1:1: nothing listens/,
  );
});

it("ends when it is aborted while an engine is silent", () =>
  endsWhenAborted(dockerMonitor, (port) => ({ url: `tcp://127.0.0.1:${port}` })));

it("keeps what it can of an engine that fails for some containers", async () => {
  using folder = temporaryFolder();
  const [good, bad] = ["a".repeat(64), "b".repeat(64)];
  const { createServer: createHttp } = await import("node:http");
  const server = createHttp((request, response) => {
    const path = request.url ?? "";
    response.statusCode = path.includes(bad) ? 500 : 200;
    const listing = [good, bad].map((id) => ({ Id: id, Names: [`/${id[0]}`], State: "exited" }));
    response.end(JSON.stringify(path.startsWith("/containers/json") ? listing : { RestartCount: 3 }));
  });
  await once(server.listen(folder.at("s")), "listening");
  try {
    const harvest = await collect(dockerMonitor, { url: `unix://${folder.at("s")}` });
    assert.deepEqual(harvest.by("container_restarts_total", "name"), { a: 3 });
    assert.deepEqual(
      harvest.rejected.map(({ reason }) => reason),
      ["container_unreadable"],
    );
    assert.match(harvest.rejected[0]?.detail ?? "", /^b: GET .*HTTP 500$/);
  } finally {
    server.close();
    await delay(0);
  }
});

it("understands every way to write where an engine is", () => {
  assert.deepEqual(engineAt("unix:///run/x.sock").socketPath, "/run/x.sock");
  assert.equal(engineAt("tcp://h:2375").url.href, "http://h:2375/");
  assert.equal(engineAt("tcp://h:2376", { ca: "x" }).url.href, "https://h:2376/");
  for (const url of ["ssh://h", "unix://relative", "http://u:p@h", "http://h:99999", "http://h/path"])
    assert.ok(dockerMonitor.config.safeParse({ url }).error, url);
});

it("reads any JSON without throwing", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      parseListing(value);
      const samples = [
        ...inspectSamples(value, { name: "x" }),
        ...statsSamples(value, { name: "x" }),
        ...diskSamples(value),
      ];
      for (const one of samples) assert.ok(Number.isFinite(one.value));
    }),
  );
});
