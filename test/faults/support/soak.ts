import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultText } from "../../../src/demo/faults.ts";
import { kitsYaml } from "../../../src/demo/kits-yaml.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { type Gleaner, startGleaner } from "../../support/process.ts";
import { readPostgres } from "../../support/rows.ts";
import { startSim } from "../../support/sim.ts";
import { accountsOf } from "./accounts.ts";
import { startCluster } from "./cluster.ts";
import { peakRssMb, randomFrom, rssMb } from "./facts.ts";
import type { Figures } from "./fault.ts";
import { fill, tmpfs, whyNoMounts } from "./mounts.ts";
import { LASTING, rig } from "./rig.ts";
import { kept } from "./served.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly kits: number;
  /** Whether gleaner itself is killed and stopped too; without, one life lasts all along, and its memory tells of growth. */
  readonly kills: boolean;
  readonly say: (line: string) => void;
}

/** What the figures of a soak are beside those of a fault. */
export interface Soaked extends Figures {
  /** Growth of the process's memory (MB an hour) in its longest life; absent when that was too short to tell. */
  readonly slope: number | undefined;
  readonly events: number;
}

/** Faults of a kit that come and go; what they keep back is not offered, or comes again. */
const KIT_FAULTS: readonly FaultText[] = [
  "slow:300",
  "hung",
  "http_500",
  "http_503",
  "reset",
  "truncated",
  "garbage",
  "refused",
  "nan",
];

/** Room for all that can wait in a soak, many times over. */
const DISK_MB = 64;

/** Memory of one life of the process: seconds since its start, MB. */
type Life = [seconds: number, mb: number][];

/** A young process still compiles, fills its caches and sizes its heap: that much of a life says nothing about growth. */
const WARM_UP = 0.4;
/** A life shorter than this (s) says nothing at all. */
const TELLING_S = 300;

/** Least squares over the later part of the longest life (MB an hour). */
export function growth(lives: readonly Life[]): number | undefined {
  const lasted = (life: Life) => life.at(-1)?.[0] ?? 0;
  const longest = lives.reduce<Life>((a, b) => (lasted(b) > lasted(a) ? b : a), []);
  if (lasted(longest) < TELLING_S) return undefined;
  const grown = longest.filter(([seconds]) => seconds >= WARM_UP * lasted(longest));
  const mean = (i: 0 | 1) => grown.reduce((sum, point) => sum + point[i], 0) / grown.length;
  const [t, y] = [mean(0), mean(1)];
  const sum = (of: (point: Life[number]) => number) => grown.reduce((total, point) => total + of(point), 0);
  return (sum((p) => (p[0] - t) * (p[1] - y)) / sum((p) => (p[0] - t) ** 2)) * 3_600;
}

/**
 * Simulated kits, PostgreSQL and gleaner under random faults from a seed, one after the other: kits that fail, a database
 * that is killed or hangs, a disk of the spool that is full, kits that leave and come back with a reload, a gleaner that is
 * killed or stopped. In the end all is well again, and every row is looked for.
 */
export async function soak({ minutes, seed, kits, kills, say }: SoakOptions): Promise<Soaked> {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  using folder = temporaryFolder();
  await using cluster = await startCluster();
  const url = cluster.url(await cluster.createDatabase());
  await using sim = await startSim(folder, { kits, fresh: false, args: [...LASTING, "--seed", String(seed)] });
  // With drop_oldest a disk that fills up behind an outage gives rows up, and counts them: C5 shows that. Here none may be.
  const store = "  statement_timeout: 1s\n  spool: { min_free_bytes: 4MiB, when_full: block }";
  // Where nothing can be mounted the spool's disk is not filled up.
  using disk = whyNoMounts() ? undefined : tmpfs(folder.at("disk"), DISK_MB);
  const data = disk ? { GLEANER_DATA_DIR: disk.path } : {};
  const place = rig(folder, sim, { store, env: { DATABASE_URL: url, LOG_LEVEL: "warn", ...data } });

  const lives: Life[] = [];
  let gleaner: Gleaner = await startGleaner(place);
  let born = performance.now();
  let peak = 0;
  lives.push([]);
  const watch = setInterval(() => {
    try {
      const [now, highest] = [rssMb(gleaner.pid), peakRssMb(gleaner.pid)];
      // A process that has just ended is still listed, without memory.
      if (Number.isNaN(now)) return;
      lives.at(-1)?.push([(performance.now() - born) / 1_000, now]);
      peak = Math.max(peak, highest);
    } catch {
      // It is between two lives.
    }
  }, 1_000);
  const restart = async (signal: NodeJS.Signals) => {
    // What a kit said last must be said again after the kill: no kit may be silent around it.
    await sleep(2_500);
    gleaner.signal(signal);
    await gleaner.exited;
    gleaner = await startGleaner(place);
    born = performance.now();
    lives.push([]);
  };

  const events: Readonly<Record<string, { readonly weight: number; run(): Promise<void> }>> = {
    "kits fail": {
      weight: 10,
      async run() {
        const some = Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(sim.kits).id);
        for (const kit of some) await sim.setFault(kit, pick(KIT_FAULTS));
        await sleep(1_000 + random() * 3_000);
        for (const kit of some) await sim.setFault(kit, "healthy");
      },
    },
    "database killed": {
      weight: 4,
      async run() {
        await cluster.kill();
        await sleep(random() * 4_000);
        await cluster.start();
      },
    },
    "database hangs": {
      weight: 3,
      async run() {
        cluster.signal("SIGSTOP");
        await sleep(500 + random() * 4_000);
        cluster.signal("SIGCONT");
      },
    },
    "spool's disk full": {
      weight: disk ? 2 : 0,
      async run() {
        const filler = fill(disk?.path ?? "", 1024 * 1024);
        await sleep(500 + random() * 3_000);
        rmSync(filler);
      },
    },
    "kits leave": {
      weight: 2,
      async run() {
        writeFileSync(sim.yaml, kitsYaml(sim.kits.filter(() => random() < 0.8)));
        gleaner.signal("SIGHUP");
        await sleep(500 + random() * 3_000);
        writeFileSync(sim.yaml, kitsYaml(sim.kits));
        gleaner.signal("SIGHUP");
      },
    },
    "gleaner killed": { weight: kills ? 1 : 0, run: () => restart("SIGKILL") },
    "gleaner stopped": { weight: kills ? 1 : 0, run: () => restart("SIGTERM") },
  };
  const bag = Object.entries(events).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));

  try {
    const end = performance.now() + minutes * 60_000;
    let count = 0;
    while (performance.now() < end) {
      await sleep(random() * 3_000);
      const name = pick(bag);
      say(`${new Date().toISOString().slice(11, 19)} ${name}`);
      await events[name]?.run();
      count++;
    }
    const begun = performance.now();
    await eventually(async () => {
      assert.equal((await accountsOf(gleaner)).pending, 0);
      assert.equal((await gleaner.get("/-/ready")).status, 200);
    }, 60_000);
    const recoverySeconds = Math.round((performance.now() - begun) / 100) / 10;
    await sleep(2_500);
    assert.equal((await gleaner.stop()).code, 0);
    await using db = await readPostgres(url);
    const { offered, stored, missing, duplicates } = await kept(await sim.ledger(), db);
    const slope = growth(lives);
    const figures = { offered, stored, missing: missing.length, duplicates, recoverySeconds, peakRssMb: peak };
    return { ...figures, slope, events: count, note: `seed ${seed}, ${count} faults` };
  } finally {
    clearInterval(watch);
    gleaner.signal("SIGKILL");
    await gleaner.exited;
  }
}
