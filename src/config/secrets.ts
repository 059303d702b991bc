import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { cacheUrlProblem } from "./cache.ts";
import { databaseUrlProblem } from "./database-url.ts";
import { MAX_SECRET_BYTES, readText } from "./files.ts";
import { type Path, pathKey } from "./problem.ts";
import { MIN_TOKEN, type Settings } from "./schema.ts";
import { getIn, type Origin } from "./validate.ts";

/** A bearer token as gleaner keeps it. */
export interface HashedToken {
  readonly name: string;
  readonly scopes: Settings["server"]["tokens"][number]["scopes"];
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** What the files named by `token_file` and `url_file` hold, by the path that names them. */
export interface SecretFiles {
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

/**
 * Reads every secret that the configuration keeps in a file of its own. Problems name the file, never what is in it.
 * @param folder what relative names are relative to
 */
export function readSecretFiles(raw: unknown, origin: Origin, folder: string): SecretFiles {
  const texts = new Map<string, string>();
  const problems: string[] = [];
  for (const { path, check } of secretPaths(raw)) {
    const name = getIn(raw, path);
    if (typeof name !== "string" || name === "" || origin.reported(path)) continue;
    try {
      const text = readText(resolve(folder, name), MAX_SECRET_BYTES).trim();
      const problem = check(text);
      if (problem === undefined) texts.set(pathKey(path), text);
      else problems.push(`${origin.label(path)}: ${problem}, in the file ${name}`);
    } catch (error) {
      problems.push(
        `${origin.label(path)}: the file ${name} ${error instanceof Error ? error.message : "is unreadable"}`,
      );
    }
  }
  return { texts, problems };
}

function secretPaths(raw: unknown): { readonly path: Path; readonly check: (text: string) => string | undefined }[] {
  const tokens = getIn(raw, ["server", "tokens"]);
  const count = Array.isArray(tokens) ? tokens.length : 0;
  return [
    { path: ["store", "url_file"], check: databaseUrlProblem },
    { path: ["cache", "url_file"], check: cacheUrlProblem },
    ...Array.from({ length: count }, (_, index) => ({ path: tokenFile(index), check: tokenProblem })),
  ];
}

const tokenFile = (index: number): Path => ["server", "tokens", index, "token_file"];

function tokenProblem(text: string): string | undefined {
  const isToken = /^[!-~]+$/.test(text) && text.length >= MIN_TOKEN;
  return isToken ? undefined : `expected a token of at least ${MIN_TOKEN} characters without spaces`;
}

/** Replaces every token by its hash. */
export function hashTokens(tokens: Settings["server"]["tokens"], { texts }: SecretFiles): HashedToken[] {
  return tokens.map(({ name, scopes, token, sha256 }, index) => ({
    name,
    scopes,
    sha256: sha256?.toLowerCase() ?? hash(token ?? texts.get(pathKey(tokenFile(index))) ?? ""),
  }));
}

const hash = (token: string): string => createHash("sha256").update(token).digest("hex");
