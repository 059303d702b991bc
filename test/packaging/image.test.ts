// No container engine is needed: these read the Dockerfile, and run what it runs.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runProgram } from "../support/program.ts";
import { ROOT, text } from "./files.ts";

const lines = text("Dockerfile")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => /^[A-Z]/.test(line));
const instructions = (name: string, from = lines) =>
  from.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
/** The last stage: what the image is. */
const final = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
const environment = Object.fromEntries(
  instructions("ENV", final).flatMap((line) => line.split(/\s+/).map((pair) => pair.split("=", 2))),
) as Record<string, string>;

const node = (script: string, args: readonly string[], env: Record<string, string>) =>
  runProgram(process.execPath, [join(ROOT, script), ...args], { cwd: tmpdir(), env });

describe("the image", () => {
  it("brings the Node version that the project is developed on", () => {
    assert.deepEqual(instructions("ARG"), [`NODE_VERSION=${text(".node-version").trim()}`]);
    for (const base of instructions("FROM")) assert.match(base, /^node:\$\{NODE_VERSION\}-bookworm-slim( AS \w+)?$/);
  });

  it("runs as a numeric user that is not root, in both stages", () => {
    assert.deepEqual(instructions("USER"), ["10001:10001", "10001:10001"]);
    assert.equal(final.filter((line) => line.startsWith("RUN ")).length, 0, "nothing runs as root after the copy");
  });

  it("takes arguments as the command line does, and stops by SIGTERM", () => {
    assert.deepEqual(instructions("ENTRYPOINT"), [`["node", "/app/bin/gleaner.js"]`]);
    assert.deepEqual(instructions("CMD", final), [`["serve"]`]);
    assert.deepEqual(instructions("STOPSIGNAL"), ["SIGTERM"]);
  });

  it("installs without development and optional packages, running no install script", () =>
    assert.ok(lines.some((line) => /^RUN npm ci .*--omit=dev --omit=optional --ignore-scripts/.test(line))));

  it("copies files that exist and that .dockerignore lets through, and none besides", () => {
    const copied = instructions("COPY").flatMap((line) =>
      line.startsWith("--from") ? [] : line.split(/\s+/).slice(0, -1),
    );
    const allowed = text(".dockerignore").matchAll(/^!(.+)$/gm);
    assert.deepEqual(copied.sort(), [...allowed].map(([, file]) => file).sort());
    for (const file of copied) assert.ok(existsSync(join(ROOT, file)), file);
  });

  it("listens to the network, so that it refuses to start without a token", async () => {
    const { code, output } = await node("bin/gleaner.js", ["serve"], {
      GLEANER_LISTEN: environment["GLEANER_LISTEN"] ?? "",
      DATABASE_URL: "sqlite::memory:",
    });
    assert.equal(code, 1, output);
    assert.match(output, /refusing to listen on 0\.0\.0\.0:9470: .* no token is configured/);
  });

  for (const [status, code] of [
    [200, 0],
    [503, 1],
  ] as const) {
    it(`is ${code === 0 ? "healthy" : "unhealthy"} when gleaner answers ${status}`, async (t) => {
      const asked: (string | undefined)[] = [];
      const server = createServer(({ url }, response) => {
        asked.push(url);
        response.writeHead(status).end();
      }).listen(0, "127.0.0.1");
      t.after(() => server.close());
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const health = await node("bin/healthcheck.js", [], { GLEANER_LISTEN: `0.0.0.0:${port}` });
      assert.deepEqual([health.code, asked], [code, ["/-/healthy"]]);
    });
  }

  it("is unhealthy when nothing answers", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    assert.equal((await node("bin/healthcheck.js", [], { GLEANER_LISTEN: `0.0.0.0:${port}` })).code, 1);
  });
});
