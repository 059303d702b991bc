import { open, readFile } from "node:fs/promises";
import type { RowKey } from "./observation.ts";

/** A line of the ledger: one row that was completely sent. `seq` numbers the rows of a kit from 1. */
export interface LedgerEntry extends RowKey {
  readonly kit: string;
  readonly seq: number;
}

/** A file that is appended to, a JSON line for each entry. */
export interface Ledger {
  append(entry: LedgerEntry): void;
  /** Resolves when everything appended so far is in the file, and on the disk with `fsync`. Rejects when it cannot be. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_EVERY = 1_000;

/** Opens a ledger; entries go to the file each second and on request. */
export async function openLedger(path: string, options: { readonly fsync: boolean }): Promise<Ledger> {
  const file = await open(path, "a");
  let pending: string[] = [];
  let writing: Promise<void> = Promise.resolve();

  const write = async () => {
    const lines = pending;
    pending = [];
    if (lines.length === 0) return;
    await file.appendFile(lines.join(""));
    if (options.fsync) await file.datasync();
  };
  // Once a write failed the ledger is incomplete, so every later flush rejects too.
  const flush = () => {
    writing = writing.then(write);
    return writing;
  };
  const timer = setInterval(() => flush().catch(() => undefined), FLUSH_EVERY);

  return {
    append: (entry) => void pending.push(`${JSON.stringify(entry)}\n`),
    flush,
    close: async () => {
      clearInterval(timer);
      await flush().finally(() => file.close());
    },
  };
}

/** What identifies a row among all kits. */
export function entryKey(entry: Omit<LedgerEntry, "seq">): string {
  return [entry.kit, entry.table, entry.time, entry.drone_id ?? "", entry.freq_mhz ?? "", entry.uid ?? ""].join("|");
}

/** Reads a ledger, one entry a row: a row may stand there twice when a fault came and went, or after a restart. */
export async function readLedger(path: string): Promise<LedgerEntry[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  const entries = lines.map((line) => JSON.parse(line) as LedgerEntry);
  return [...new Map(entries.map((entry) => [entryKey(entry), entry])).values()];
}
