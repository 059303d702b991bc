import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LedgerEntry } from "../../../src/demo/ledger.ts";
import { eventually } from "../../support/eventually.ts";
import type { TemporaryFolder } from "../../support/folder.ts";
import { type Gleaner, startGleaner } from "../../support/process.ts";
import { readSqlite } from "../../support/rows.ts";
import { startSim } from "../../support/sim.ts";
import { type Accounts, accountsOf } from "./accounts.ts";
import { absentPostgres, rig } from "./rig.ts";
import { type Kept, kept } from "./served.ts";

/** A spool that a gleaner left behind whose database was never there, and the rows it holds. */
export interface Spooled {
  readonly file: string;
  readonly ledger: readonly LedgerEntry[];
}

/** Lets a gleaner collect for a while without a database. */
export async function fillSpool(folder: TemporaryFolder): Promise<Spooled> {
  await using sim = await startSim(folder, { kits: 10 });
  const env = { DATABASE_URL: absentPostgres(folder), GLEANER_DATA_DIR: folder.at("filled") };
  await using gleaner = await startGleaner(rig(folder, sim, { env }));
  await eventually(async () => assert.ok((await accountsOf(gleaner)).pending > 1_500));
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  return { file: join(folder.at("filled"), "spool.db"), ledger: await sim.ledger() };
}

export interface Restarted extends Kept {
  readonly accounts: Accounts;
  readonly log: ReturnType<Gleaner["log"]>;
  readonly folder: string;
}

/**
 * Starts a gleaner without kits on a copy of the spool after something was done to the copy, and lets it write all there
 * is into a SQLite database.
 */
export async function restartOn(
  folder: TemporaryFolder,
  { file, ledger }: Spooled,
  name: string,
  damage: (file: string) => void,
): Promise<Restarted> {
  const place = folder.at(name);
  mkdirSync(place);
  copyFileSync(file, join(place, "spool.db"));
  damage(join(place, "spool.db"));
  const env = { GLEANER_DATA_DIR: place };
  await using gleaner = await startGleaner(rig(folder, { yaml: folder.write("no-kits.yaml", "kits: []\n") }, { env }));
  const accounts = await eventually(async () => {
    const now = await accountsOf(gleaner);
    assert.equal(now.pending, 0);
    assert.equal((await gleaner.get("/-/ready")).status, 200);
    return now;
  });
  assert.deepEqual(await gleaner.stop(), { code: 0, signal: null });
  await using db = readSqlite(join(place, "gleaner.db"));
  return { ...(await kept(ledger, db)), accounts, log: gleaner.log(), folder: place };
}
