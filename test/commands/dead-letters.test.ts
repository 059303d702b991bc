import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openStore } from "../../src/store/open.ts";
import { batch, drone, options, T0 } from "../store/make.ts";
import { temporaryFolder } from "../support/folder.ts";
import { runGleaner } from "../support/process.ts";
import { readSqlite } from "../support/rows.ts";

const REFUSE = `create trigger refuse before insert on drones when new.drone_id like 'bad-%'
  begin select raise(abort, 'such drones are not flown here'); end`;

/** A database that refuses some drones, four of which came. */
async function withLetters(file: string): Promise<void> {
  const store = await openStore(options(`sqlite:${file}`));
  const database = new DatabaseSync(file);
  database.exec(REFUSE);
  database.close();
  const rows = ["bad-1", "good", "bad-2", "bad-3", "bad-4"].map((id) => drone(id, T0));
  await store.writeBatches([batch({ target: "roof", health: "kit", rows })]);
  await store.close();
}

function mend(file: string, how: string): void {
  const database = new DatabaseSync(file);
  database.exec(how);
  database.close();
}

test("dead-letter list, retry, drop: from the refusal to an empty list", async (t) => {
  using folder = temporaryFolder();
  const file = folder.at("data/gleaner.db");
  const run = (...args: string[]) => runGleaner(["dead-letter", ...args], { cwd: folder.path });
  const lines = async (...args: string[]) => (await run("list", ...args)).stdout.trimEnd().split("\n");
  const idOf = async (drone: string) => (await lines()).find((line) => line.includes(drone))?.split(" ", 1)[0] ?? "";
  const drones = async () => {
    await using db = readSqlite(file);
    return (await db.query("select drone_id from drones order by drone_id")).map((row) => row["drone_id"]);
  };

  await t.test("nothing there yet: says so, and makes no database", async () => {
    assert.deepEqual(await run("list"), { code: 0, signal: null, stdout: "There are no dead letters.\n", stderr: "" });
    assert.equal((await run("drop", "--all")).stdout, "0 dropped.\n");
  });

  await withLetters(file);

  await t.test("list: a line each with id, time, table, reason and row", async () => {
    const [header, ...rows] = await lines();
    assert.match(header ?? "", /^ID +TIME +TABLE +REASON +ROW$/);
    assert.equal(rows.length, 4);
    for (const row of rows)
      assert.match(
        row,
        /^\S{12} +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +drones +such drones are not flown here +\{"drone_id":"bad-\d","kit_id":"roof","received_at":\d+,"time":\d+,"track_type":"drone"\}$/,
      );
    assert.equal((await lines("--limit", "2")).length, 3);
    assert.deepEqual(await drones(), ["good"]);
  });

  await t.test("without a name, and with a wrong one: exit 1 with one sentence, and nothing happens", async () => {
    for (const command of ["retry", "drop"]) {
      const without = await run(command);
      assert.deepEqual([without.code, without.stdout], [1, ""]);
      assert.equal(without.stderr, "Name dead letters by their id (gleaner dead-letter list), or say --all.\n");
      assert.equal((await run(command, "--all", await idOf("bad-1"))).code, 1);
      const wrong = await run(command, "nobody", await idOf("bad-1"));
      assert.deepEqual([wrong.code, wrong.stderr], [1, "There is no dead letter nobody.\n"]);
    }
    assert.equal((await lines()).length, 5);
  });

  await t.test("retry while it is refused still: exit 1 with the reason, and the letter stays", async () => {
    const id = await idOf("bad-1");
    const { code, stdout, stderr } = await run("retry", id);
    assert.deepEqual([code, stdout], [1, "0 stored, 1 refused still.\n"]);
    assert.equal(stderr, `${id}: such drones are not flown here\n`);
    assert.equal((await lines()).length, 5);
  });

  await t.test("drop: that one is gone, and only that", async () => {
    assert.equal((await run("drop", await idOf("bad-4"))).stdout, "1 dropped.\n");
    assert.deepEqual(
      (await lines()).filter((line) => line.includes("bad-4")),
      [],
    );
    assert.equal((await lines()).length, 4);
  });

  await t.test("retry after the database was mended: one by its id, then all", async () => {
    mend(file, "drop trigger refuse");
    assert.deepEqual(await run("retry", await idOf("bad-1")), {
      ...{ code: 0, signal: null, stdout: "1 stored, 0 refused still.\n", stderr: "" },
    });
    assert.deepEqual(await drones(), ["bad-1", "good"]);
    assert.equal((await run("retry", "--all")).stdout, "2 stored, 0 refused still.\n");
    assert.deepEqual(await drones(), ["bad-1", "bad-2", "bad-3", "good"]);
    assert.equal((await run("list")).stdout, "There are no dead letters.\n");
  });
});
