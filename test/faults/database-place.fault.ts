import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { whyNoPostgres } from "../store/postgres.ts";
import { temporaryFolder } from "../support/folder.ts";
import { prepareCluster, startCluster } from "./support/cluster.ts";
import { isQuick } from "./support/facts.ts";
import { type Figures, fault } from "./support/fault.ts";
import { tmpfs, whyNoMounts } from "./support/mounts.ts";
import { blackHole, mend, twoHosts, whyNoNetwork } from "./support/network.ts";
import { recovery, startScene, untilDown } from "./support/scene.ts";

/** The database's surroundings: its network, its disks. */

const noServer = whyNoPostgres() ?? false;
const BLACK_HOLE = fileURLToPath(new URL("support/black-hole.ts", import.meta.url));

fault(
  "D4",
  "packets to and from the database vanish (two network namespaces, neighbours with a hardware address that nobody has)",
  { quick: false, skip: noServer || whyNoNetwork() },
  async () => {
    using hosts = twoHosts();
    const { near, far } = hosts;
    const port = 5_432;
    const settings = { listen_addresses: far.address, port };
    await using cluster = await prepareCluster({ settings, prefix: far.prefix });
    appendFileSync(join(cluster.data, "pg_hba.conf"), `host all all ${near.address}/32 trust\n`);
    await cluster.start();
    const database = await cluster.createDatabase();
    const url = `postgresql://gleaner@${far.address}:${port}/${database}`;
    const [program = "", ...prefix] = [...near.prefix, process.execPath, BLACK_HOLE];
    const args = [url, cluster.url(database), isQuick ? "3" : "8"];
    const child = spawn(program, [...prefix, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    const closed = once(child, "close");
    let figures: Figures | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const both = (what: typeof mend) => {
        what(near, far.address);
        what(far, near.address);
      };
      if (line === "cut") both(blackHole);
      else if (line === "mend") both(mend);
      else figures = JSON.parse(line) as Figures;
      child.stdin.write("done\n");
    }
    assert.equal((await closed)[0], 0);
    assert.ok(figures, "it came to figures");
    return figures;
  },
);

/** Writes a file until the disk is full; leaving its scope gives the space back. */
function fill(folder: string): Disposable {
  const path = join(folder, "ballast");
  const file = openSync(path, "w");
  try {
    for (let size = 1 << 20; size >= 512; size >>= 1) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size));
      } catch {
        // No room for so much; for less there may be.
      }
    }
  } finally {
    closeSync(file);
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

fault(
  "D5",
  "the database's disk full (53100) for 3 s, then the disk of its write-ahead log (PANIC), then both with room again",
  { quick: false, skip: noServer || whyNoMounts() },
  async () => {
    using folder = temporaryFolder();
    // The server's user has to come through.
    chmodSync(folder.path, 0o755);
    using rows = tmpfs(folder.at("rows"), 48);
    using log = tmpfs(folder.at("log"), 96);
    await using cluster = await startCluster({ walFolder: log.path, settings: { max_wal_size: "32MB" } });
    const { uid, gid } = statSync(cluster.data);
    const space = join(rows.path, "space");
    mkdirSync(space);
    chownSync(space, uid, gid);
    await cluster.sql("postgres", `create tablespace small location '${space}'`);
    const database = await cluster.createDatabase("tablespace small");
    await using scene = await startScene({ url: cluster.url(database) });
    const { gleaner } = scene;
    {
      using _full = fill(rows.path);
      await untilDown(gleaner);
      assert.match(await (await gleaner.get("/-/ready")).text(), /No space left on device/);
      await sleep(3_000);
    }
    const afterRows = await recovery(gleaner);
    {
      using _full = fill(log.path);
      const panic = async () => {
        for (let i = 0; i < 50; i++)
          await cluster.sql("postgres", "create table t as select 1; drop table t; select pg_switch_wal()");
      };
      await assert.rejects(panic());
      await cluster.gone();
      assert.match(cluster.log(), /PANIC: .*No space left on device/);
      await untilDown(gleaner);
    }
    await cluster.start();
    const afterLog = await recovery(gleaner);
    const note = `recovery ${afterRows} s after the disk, ${afterLog} s after the log's`;
    return { ...(await scene.finish()), recoverySeconds: Math.max(afterRows, afterLog), note };
  },
);
