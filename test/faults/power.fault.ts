import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSpoolFile } from "../../src/store/spool-file.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";
import { scrape } from "../support/scrape.ts";
import { startSim } from "../support/sim.ts";
import { accountsOf } from "./support/accounts.ts";
import { isQuick, peakRssMb, randomFrom } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { ext4, whyNoLoop } from "./support/mounts.ts";
import { absentPostgres, LASTING, rig } from "./support/rig.ts";
import { kept } from "./support/served.ts";

const WRITER = fileURLToPath(new URL("./support/spool-writer.ts", import.meta.url));
const random = randomFrom(42);

/** Cuts the power under a program that appends to a spool; how many records it was promised, and how many are gone. */
async function cutUnderWriter(mode: "full" | "normal"): Promise<{ acknowledged: number; missing: number }> {
  using folder = temporaryFolder();
  using disk = ext4(folder.at("disk"), folder.at("image"), 64);
  const [spool, log] = [join(disk.path, "spool.db"), folder.at("acknowledged")];
  const writer = spawn(process.execPath, [WRITER, spool, log, mode], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(writer, "close");
  try {
    await once(writer.stdout, "data");
    await sleep(300 + random() * 500);
    disk.cut();
  } finally {
    writer.kill("SIGKILL");
    await ended;
  }
  disk.replug();
  const acknowledged = readFileSync(log, "utf8").trim().split("\n");
  const there = new Set(recordsOf(spool));
  return { acknowledged: acknowledged.length, missing: acknowledged.filter((n) => !there.has(n)).length };
}

/** Bodies of all records of a spool. */
function recordsOf(path: string): string[] {
  const spool = openSpoolFile(path);
  const bodies: string[] = [];
  let after = 0;
  for (let records = spool.read(after, 1e9); records.length > 0; records = spool.read(after, 1e9)) {
    bodies.push(...records.map(({ body }) => body ?? ""));
    after = records.at(-1)?.id ?? after;
  }
  spool.close();
  return bodies;
}

const noLoop = whyNoLoop();

fault("C2", "power cut under the spool; records", { quick: true, skip: noLoop }, async () => {
  const cuts = isQuick ? 2 : 6;
  let [offered, missing] = [0, 0];
  for (let i = 0; i < cuts; i++) {
    const cut = await cutUnderWriter("full");
    assert.ok(cut.acknowledged > 50, "there was something to lose");
    offered += cut.acknowledged;
    missing += cut.missing;
  }
  // A cut just after a checkpoint loses nothing: the control has several tries.
  let lost = 0;
  for (let i = 0; i < 6 && lost === 0; i++) lost += (await cutUnderWriter("normal")).missing;
  assert.ok(lost > 0, "the control lost nothing: this test would not notice a loss");
  const note = `${cuts} cuts; control with synchronous=NORMAL lost ${lost}`;
  return { offered, stored: offered - missing, missing, duplicates: 0, note };
});

/** Cuts the power under a gleaner, brings the machine back, and compares what kits had sent with what is kept. */
async function cutUnderGleaner(database: "spooling" | "embedded"): Promise<Figures> {
  using folder = temporaryFolder();
  using disk = ext4(folder.at("disk"), folder.at("image"), 256);
  await using sim = await startSim(folder, { kits: 20, fresh: false, args: LASTING });
  const env = { GLEANER_DATA_DIR: disk.path };
  const url = database === "spooling" ? { DATABASE_URL: absentPostgres(folder) } : {};
  let promised = 0;
  {
    const place = rig(folder, sim, { env: { ...env, ...url }, store: "  spool: { min_free_bytes: 1MiB }" });
    await using gleaner = await startGleaner(place);
    await sleep(3_000 + random() * 1_000);
    const series = await scrape(gleaner);
    const { stored } = await accountsOf(gleaner);
    promised = database === "spooling" ? (series.get("gleaner_spool_batches") ?? 0) : stored;
    assert.ok(promised > 10, `${promised} were durable before the cut`);
    disk.cut();
  }
  disk.replug();
  if (database === "spooling") {
    const there = recordsOf(join(disk.path, "spool.db")).length;
    assert.ok(there >= promised, `${there} of ${promised} batches`);
  }
  const begun = performance.now();
  await using gleaner = await startGleaner(rig(folder, sim, { env }));
  await eventually(async () => {
    assert.equal((await accountsOf(gleaner)).pending, 0);
    assert.equal((await gleaner.get("/-/ready")).status, 200);
  });
  const recoverySeconds = (performance.now() - begun) / 1_000;
  await sleep(1_000);
  const peak = peakRssMb(gleaner.pid);
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(join(disk.path, "gleaner.db"));
  const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
  return {
    ...{ offered, stored, missing: missing.length, duplicates, peakRssMb: peak },
    recoverySeconds: Math.round(recoverySeconds * 10) / 10,
  };
}

fault("C2", "power cut under a gleaner that waits for its database", { quick: true, skip: noLoop }, () =>
  cutUnderGleaner("spooling"),
);
fault("C2", "power cut under a gleaner on SQLite", { quick: false, skip: noLoop }, () => cutUnderGleaner("embedded"));
