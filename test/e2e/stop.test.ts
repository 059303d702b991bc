import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";

async function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createHttpServer>) {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("SIGTERM: an answer under way is waited for and stored, one that never comes is not, and both within 10 s", async (t) => {
  using folder = temporaryFolder();
  const hung = createServer(() => undefined);
  const { promise: asked, resolve: ask } = Promise.withResolvers<() => void>();
  const slow = createHttpServer((request, response) => {
    if (request.url !== "/drones") return void response.writeHead(404).end();
    const body = JSON.stringify({
      drones: [{ id: "drone-1", last_update_time: 1_790_000_000.5, track_type: "drone" }],
    });
    ask(() => response.end(body));
  });
  const kits = [
    { id: "hung", api_url: await listening(hung) },
    { id: "slow", api_url: await listening(slow) },
  ];
  t.after(() => {
    hung.close();
    slow.close();
    slow.closeAllConnections();
  });
  folder.write("kits.yaml", JSON.stringify({ kits }));
  await using gleaner = await startGleaner({ cwd: folder.path, env: { REQUEST_TIMEOUT: "60s", MAX_RETRIES: "0" } });
  const answer = await asked;
  const begun = performance.now();
  gleaner.signal("SIGTERM");
  await eventually(async () => assert.equal((await gleaner.get("/-/ready")).status, 503));
  answer();
  assert.deepEqual(await gleaner.exited, { code: 0, signal: null });
  assert.ok(performance.now() - begun < 10_000);
  await using db = readSqlite(folder.at("data/gleaner.db"));
  assert.deepEqual(await db.query("select kit_id, drone_id, time from drones"), [
    { kit_id: "slow", drone_id: "drone-1", time: 1_790_000_000_500 },
  ]);
});
