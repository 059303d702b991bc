/**
 * Appends to a spool as fast as it can, and writes the number of each record that the spool took to a file elsewhere:
 * `node spool-writer.ts SPOOL ACKNOWLEDGED [normal]`. Each record's body is its number. With `normal` it is the control of
 * the experiment: the same file written with synchronous=NORMAL.
 */
import { openSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32, zstdCompressSync } from "node:zlib";
import { openSpoolFile } from "../../../src/store/spool-file.ts";

const [path = "", acknowledged = "", mode] = process.argv.slice(2);

function weaker(): (body: string) => void {
  openSpoolFile(path).close();
  const database = new DatabaseSync(path);
  database.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = normal");
  const insert = database.prepare("insert into records (at, rows, crc, body) values (?, 1, ?, ?)");
  return (body) => {
    const packed = zstdCompressSync(body);
    insert.run(Date.now(), crc32(packed), packed);
  };
}

function real(): (body: string) => void {
  const spool = openSpoolFile(path);
  return (body) => void spool.append(body, 1, Date.now());
}

const append = mode === "normal" ? weaker() : real();
const log = openSync(acknowledged, "a");
process.stdout.write("ready\n");
for (let n = 1; ; n++) {
  append(String(n));
  writeSync(log, `${n}\n`);
}
