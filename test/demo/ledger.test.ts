import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type KitSimOptions, startKits } from "../../src/demo/kit-sim.ts";
import { entryKey, type LedgerEntry, openLedger, readLedger } from "../../src/demo/ledger.ts";
import { rawGet, rawJson, rawText } from "./raw-client.ts";

const folder = await mkdtemp(join(tmpdir(), "gleaner-ledger-"));
after(() => rm(folder, { recursive: true }));

/** Kits with a ledger of their own and a clock that the test moves. */
async function withLedger(name: string, options: Partial<KitSimOptions>) {
  const clock = { now: 1_795_318_204_969 };
  const ledger = join(folder, name);
  const sim = await startKits({ count: 1, rateLimit: false, clock: () => clock.now, ...options, ledger });
  return { sim, clock, ledger, url: sim.kits[0]?.url ?? "", [Symbol.asyncDispose]: () => sim.close() };
}

/** The rows of a body that arrived whole, as the ledger names them. */
// biome-ignore lint/suspicious/noExplicitAny: bodies are of known shape
function rowsOf(kit: string, body: any): string[] {
  const entries: Omit<LedgerEntry, "seq">[] = [];
  for (const one of body.drones ?? [])
    entries.push({ kit, table: "drones", time: one.last_update_time, drone_id: one.id });
  for (const one of body.signals ?? [])
    entries.push({ kit, table: "signals", time: one.observed_at, freq_mhz: one.center_hz / 1e6, uid: one.uid });
  if (body.uid) entries.push({ kit, table: "system_health", time: body.last_update_time });
  return entries.map(entryKey);
}

const keysIn = async (path: string) => (await readLedger(path)).map(entryKey).sort();

test("every row that was sent is in the ledger, once, however often it was served", async () => {
  await using kits = await withLedger("once", { count: 3, drones: 12, aircraft: 4, signals: 8 });
  const received = new Set<string>();
  for (let poll = 0; poll < 12; poll++, kits.clock.now += 1_300)
    for (const { id, url } of kits.sim.kits)
      for (const path of ["/drones", "/signals", "/status", "/config"])
        for (const key of rowsOf(id, await rawJson(url, path))) received.add(key);
  await settled(() => kits.sim.stats().completed === 12 * 3 * 4);
  await kits.sim.flush();
  assert.deepEqual(await keysIn(kits.ledger), [...received].sort());
  const lines = (await readFile(kits.ledger, "utf8")).trim().split("\n");
  assert.equal(lines.length, received.size, "a line for each");
  assert.equal(kits.sim.stats().rows, received.size);
  const numbers = (await readLedger(kits.ledger)).filter((entry) => entry.kit === "kit-002").map((entry) => entry.seq);
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i + 1),
    "numbered by kit, without a gap",
  );
});

test("what a client did not wait for is not in the ledger, however it left", async () => {
  await using kits = await withLedger("aborted", { count: 6, drones: 20, signals: 5, fresh: true });
  const ids = ["kit-001", "kit-002", "kit-003", "kit-004", "kit-005", "kit-006"] as const;
  const faults = ["healthy", "slow:40", "drip:3", "hung_body", "reset", "truncated"] as const;
  for (const [i, id] of ids.entries()) await kits.sim.setFault(id, faults[i] ?? "healthy");
  const received: string[] = [];
  for (let round = 0; round < 10; round++, kits.clock.now += 100) {
    const leaving = kits.sim.kits.slice(1).map(({ url }) => rawGet(url, "/drones", { patience: 5 + round }));
    const [whole] = await Promise.all([rawJson(kits.url, "/drones"), ...leaving]);
    received.push(...rowsOf("kit-001", whole));
  }
  await settled(() => kits.sim.stats().aborted === 50 && kits.sim.stats().completed === 10);
  await kits.sim.flush();
  assert.deepEqual(await keysIn(kits.ledger), received.sort());
});

test("a client that leaves within a large body was offered none of it", async () => {
  // More than a megabyte: much of it is unread or unsent when the client leaves.
  await using kits = await withLedger("large", { drones: 100, aircraft: 3_000, fresh: true });
  await rawGet(kits.url, "/drones", { enough: 1_000 });
  await settled(() => kits.sim.stats().aborted === 1);
  await kits.sim.flush();
  assert.deepEqual(await keysIn(kits.ledger), []);
  const body = await rawJson(kits.url, "/drones");
  await settled(() => kits.sim.stats().completed === 1);
  await kits.sim.flush();
  assert.equal(body.drones.length, 3_100);
  assert.deepEqual(await keysIn(kits.ledger), rowsOf("kit-001", body).sort());
});

test("a slow answer that a patient client received is offered", async () => {
  await using kits = await withLedger("patient", { faults: { "kit-001": "slow:20" }, fresh: true });
  const body = await rawJson(kits.url, "/signals");
  await settled(() => kits.sim.stats().completed === 1);
  await kits.sim.flush();
  assert.deepEqual(await keysIn(kits.ledger), rowsOf("kit-001", body).sort());
});

for (const fault of ["garbage", "empty", "http_500", "deep", "html", "redirect", "rate_limited"] as const)
  test(`${fault} offers no row`, async () => {
    await using kits = await withLedger(fault, { faults: { "kit-001": fault }, fresh: true });
    await rawText(kits.url, "/drones");
    await settled(() => kits.sim.stats().completed === 1);
    assert.equal(kits.sim.stats().rows, 0);
  });

test("rows with hostile values are offered as long as they have a key", async () => {
  await using kits = await withLedger("hostile", { drones: 5, aircraft: 0, fresh: true });
  const expected: string[] = [];
  for (const fault of ["nan", "proto", "duplicate_ids", "wrong_types", "clock_ahead"] as const) {
    await kits.sim.setFault(0, fault);
    const text = (await rawText(kits.url, "/drones")).replaceAll(/: (NaN|-?Infinity)/g, ": null");
    const { drones } = JSON.parse(text) as { drones: ({ id?: unknown; last_update_time?: unknown } | null)[] };
    const keyed = drones.filter((one) => typeof one?.id === "string" && typeof one.last_update_time === "number");
    expected.push(...rowsOf("kit-001", { drones: keyed }));
    kits.clock.now += 100;
  }
  await settled(() => kits.sim.stats().completed === 5);
  await kits.sim.flush();
  assert.deepEqual(await keysIn(kits.ledger), [...new Set(expected)].sort());
});

test("a ledger is appended to, and closing it completes the file", async () => {
  const path = join(folder, "appended");
  for (const seq of [1, 2]) {
    const ledger = await openLedger(path, { fsync: true });
    ledger.append({ kit: "kit-001", seq, table: "system_health", time: 1_795_318_204.25 + seq });
    await ledger.close();
  }
  assert.deepEqual(
    (await readLedger(path)).map((entry) => entry.seq),
    [1, 2],
  );
});

/** Waits for what the kit sees after its client: closing takes a moment to arrive. */
async function settled(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!done()) {
    assert.ok(performance.now() < deadline, "the kit did not see it in time");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
