import { type LoadOptions, loadConfig } from "../config/load.ts";
import { storeOptions } from "../config/store-options.ts";
import type { KeptLetter } from "../store/dead-letters.ts";
import { type Letters, withLetters } from "../store/inspect.ts";
import { CommandFailure } from "./failure.ts";
import { table, when } from "./table.ts";

/** More are not looked at in one go; the rest follows when these are gone. */
const MOST = 10_000;

const urlOf = (options: LoadOptions) => storeOptions(loadConfig(options)).url;

/** The letters that were named by the beginning of their id, or all of them. */
async function chosen(letters: Letters, ids: readonly string[], all: boolean): Promise<KeptLetter[]> {
  if (all === ids.length > 0)
    throw new CommandFailure("Name dead letters by their id (gleaner dead-letter list), or say --all.");
  const known = await letters.list(MOST);
  const found = known.filter((letter) => all || ids.some((id) => letter.id.startsWith(id)));
  const missing = ids.filter((id) => !known.some((letter) => letter.id.startsWith(id)));
  if (missing.length > 0) throw new CommandFailure(`There is no dead letter ${missing.join(", ")}.`);
  return found;
}

/** The row without its many empty columns. */
const rowText = ({ row }: KeptLetter) =>
  JSON.stringify(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));

/** Lists the rows that the database refused, newest first, each with its reason. */
export async function listDeadLetters(
  options: LoadOptions,
  limit: number,
  print: (text: string) => void,
): Promise<void> {
  const letters = await withLetters(urlOf(options), ({ list }) => list(limit));
  if (letters.length === 0) return print("There are no dead letters.");
  const rows = letters.map((letter) => [
    letter.id.slice(0, 12),
    when(letter.time),
    letter.table,
    letter.reason,
    rowText(letter),
  ]);
  print(table(["ID", "TIME", "TABLE", "REASON", "ROW"], rows));
}

/**
 * Tries to store dead letters again, as after the database was mended; those that go are letters no more.
 * @throws {CommandFailure} when one is refused still
 */
export async function retryDeadLetters(
  options: LoadOptions,
  { ids, all }: { readonly ids: readonly string[]; readonly all: boolean },
  print: (text: string) => void,
): Promise<void> {
  const refused: string[] = [];
  let stored = 0;
  await withLetters(urlOf(options), async (letters) => {
    for (const letter of await chosen(letters, ids, all)) {
      try {
        await letters.retry(letter);
        stored++;
      } catch (error) {
        refused.push(`${letter.id.slice(0, 12)}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  });
  print(`${stored} stored, ${refused.length} refused still.`);
  if (refused.length > 0) throw new CommandFailure(refused.join("\n"));
}

/** Takes dead letters away for good. */
export async function dropDeadLetters(
  options: LoadOptions,
  { ids, all }: { readonly ids: readonly string[]; readonly all: boolean },
  print: (text: string) => void,
): Promise<void> {
  const dropped = await withLetters(urlOf(options), async (letters) =>
    letters.drop((await chosen(letters, ids, all)).map((letter) => letter.id)),
  );
  print(`${dropped} dropped.`);
}
