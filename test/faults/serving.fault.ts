import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Gleaner, startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { having, kitState, scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf, total } from "./support/accounts.ts";
import { isQuick, openFiles, peakRssMb } from "./support/facts.ts";
import { fault } from "./support/fault.ts";
import { rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

/** How long answers to a path take (ms), asked for again and again. */
async function latencies(gleaner: Gleaner, path: string, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    const response = await gleaner.get(path);
    await response.arrayBuffer();
    assert.equal(response.status, 200);
    took.push(performance.now() - begun);
  }
  return took.toSorted((a, b) => a - b);
}

fault("C12", "kits that tell a hundred new drones a tick", { quick: true }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 10, args: ["--drones", "5"] });
  await using gleaner = await startGleaner(rig(folder, sim));
  const settled = async () => {
    const series = await scrape(gleaner);
    for (const { id } of sim.kits) {
      assert.equal(kitState(series, id), "online");
      const told = [...having(series, "kit", id).keys()].join();
      for (const name of [/kit_gps_fix/, /kit_drones/, /kit_signals/]) assert.match(told, name);
    }
    return series;
  };
  const before = await eventually(settled);
  for (const { id } of sim.kits.slice(0, 5)) await sim.setFault(id, "many_ids");
  await sleep(isQuick ? 3_000 : 10_000);
  const after = await eventually(settled);
  const ofKits = (series: typeof before) => [...series.keys()].filter((key) => key.includes('kit="')).sort();
  assert.deepEqual(ofKits(after), ofKits(before), "no row became a series");
  const body = await (await gleaner.get("/metrics")).arrayBuffer();
  const slowest = (await latencies(gleaner, "/metrics", 20)).at(-1) ?? 0;
  assert.ok(slowest < 1_000 && body.byteLength < 20e6, `${slowest} ms, ${body.byteLength} bytes`);
  for (const { id } of sim.kits) await sim.setFault(id, "refused");
  const { dropped } = await eventually(async () => {
    const accounts = await accountsOf(gleaner);
    assert.equal(accounts.pending, 0);
    return accounts;
  });
  const rss = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(folder.at("data/gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  const note = `${ofKits(after).length} series of kits before and after; /metrics at most ${Math.round(slowest)} ms`;
  return { offered, stored, dropped, missing: missing.length, duplicates, peakRssMb: rss, note };
});

/** A client that asks for /metrics and then takes one byte a second. */
function sip(gleaner: Gleaner): Socket {
  const { hostname, port } = new URL(gleaner.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined).pause();
  socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const timer = setInterval(() => socket.read(1), 1_000);
  socket.once("close", () => clearInterval(timer));
  return socket;
}

/** A client that stops in the middle of its request. */
function hesitate(gleaner: Gleaner): Socket {
  const { hostname, port } = new URL(gleaner.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on("error", () => undefined).pause();
  socket.write("GET /metrics HTTP/1.1\r\nHost: loc");
  return socket;
}

fault("C13", "500 scrapes at once, readers of a byte a second, half-open clients", { quick: true }, async () => {
  using folder = temporaryFolder();
  await using sim = await startSim(folder, { kits: 150, fresh: false });
  // In a small heap, so that memory says what is needed and not what the garbage collector has put off.
  const heap = { NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=4" };
  const place = rig(folder, sim, { env: { POLL_INTERVAL: "5s", STATUS_POLL_INTERVAL: "5s", ...heap } });
  await using gleaner = await startGleaner(place);
  await eventually(async () => {
    const series = await scrape(gleaner);
    assert.equal(total(series, "gleaner_kit_up"), 150);
  });
  const scrapeMany = () =>
    Promise.all(
      Array.from({ length: 100 }, async () => (await (await gleaner.get("/metrics")).arrayBuffer()).byteLength),
    );
  // Warm: as many scrapes in good order come first, and what they took at most is what the others are measured against.
  for (let i = 0; i < 8; i++) await scrapeMany();
  const [base, files] = [peakRssMb(gleaner.pid), openFiles(gleaner.pid)];
  const sippers = Array.from({ length: 300 }, () => sip(gleaner));
  const hesitant = Array.from({ length: 100 }, () => hesitate(gleaner));
  try {
    await eventually(() => assert.ok(openFiles(gleaner.pid) >= files + 380));
    const begun = performance.now();
    const sizes = await scrapeMany();
    const hundred = performance.now() - begun;
    assert.ok(Math.min(...sizes) > 100_000, `${sizes[0]} bytes`);
    const healthy = await latencies(gleaner, "/-/healthy", 100);
    assert.ok((healthy[98] ?? 1e9) < 200, `/-/healthy took ${healthy[98]} ms`);
    const peak = peakRssMb(gleaner.pid);
    const grown = peak - base;
    assert.ok(grown <= 50, `${grown} MB more`);
    if (!isQuick) {
      // Ten seconds for the head of a request, and one to read that it was too slow.
      const now = openFiles(gleaner.pid);
      await eventually(
        () => assert.ok(openFiles(gleaner.pid) <= now - 90, `${openFiles(gleaner.pid)} of ${now}`),
        15_000,
      );
    }
    const note = `+${grown} MB; 100 scrapes of ${Math.round((sizes[0] ?? 0) / 1_024)} KB at once in ${Math.round(hundred)} ms; /-/healthy p99 ${Math.round(healthy[98] ?? 0)} ms`;
    return { peakRssMb: peak, note };
  } finally {
    for (const socket of [...sippers, ...hesitant]) socket.destroy();
  }
});
