import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import pg from "pg";
import { LAYOUTS, type TableRows } from "../../../src/store/rows.ts";
import { timed } from "./bench.ts";

/** What one would write rows to PostgreSQL with instead. Each does its work on a database and returns how long that took (ms). */

/** Runs psql's commands. @returns the sum of the times that psql's own \timing tells, so without its start (ms) */
function psql(url: string, args: readonly string[], input = ""): number {
  const options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", "\\timing on", ...args];
  const { status, stdout, stderr, error } = spawnSync("psql", options, { input, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`psql ended with ${status}: ${stderr}`);
  return [...stdout.matchAll(/^Time: ([\d.]+) ms/gm)].reduce((sum, [, ms]) => sum + Number(ms), 0);
}

/** A table's rows in a file in COPY's text format, with the columns that have values. */
export interface Exported {
  readonly path: string;
  readonly into: string;
}

/** Writes what is in a table to a file. */
export async function exportRows(url: string, table: string, path: string): Promise<Exported> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(`select * from ${table} limit 1`);
  await client.end();
  const columns = Object.entries(rows[0] ?? {}).flatMap(([name, value]) => (value === null ? [] : [name]));
  psql(url, ["-c", `\\copy (select ${columns.join(", ")} from ${table}) to '${path}'`]);
  return { path, into: `${table} (${columns.join(", ")})` };
}

/** `\copy` of the whole file: one statement, one transaction. */
export const copyAll = (url: string, { into, path }: Exported): number =>
  psql(url, ["-c", `\\copy ${into} from '${path}'`]);

/** The same rows in COPYs of so many each, one after the other in one session. */
export function copyBatches(url: string, { into, path }: Exported, size: number): number {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  let script = "";
  for (let from = 0; from < lines.length; from += size)
    script += `copy ${into} from stdin;\n${lines.slice(from, from + size).join("\n")}\n\\.\n`;
  return psql(url, ["-f", "-"], script);
}

/** Prepared INSERTs with so many rows each, every one its own transaction; rows that are there already are skipped. */
export async function insertValues(url: string, { table, rows }: TableRows, size: number): Promise<number> {
  const { columns, types } = LAYOUTS[table];
  const used = columns.flatMap((_, i) => (rows[0]?.[i] === null ? [] : [i]));
  const values = rows.map((row) =>
    used.map((i) => (types[i] === "time" ? new Date(Number(row[i])).toISOString() : row[i])),
  );
  const tuple = (k: number) => `(${used.map((_, i) => `$${k * used.length + i + 1}`).join(", ")})`;
  const text = `insert into ${table} (${used.map((i) => columns[i]).join(", ")})
    values ${Array.from({ length: size }, (_, k) => tuple(k)).join(", ")} on conflict do nothing`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const ms = await timed(async () => {
    for (let from = 0; from < rows.length; from += size)
      await client.query({ name: "insert", text, values: values.slice(from, from + size).flat() });
  });
  await client.end();
  return ms;
}
