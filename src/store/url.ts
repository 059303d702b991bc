/** Where a store is, parsed from DATABASE_URL. */
export type StoreUrl =
  | { readonly engine: "sqlite"; readonly path: string; readonly label: string }
  | { readonly engine: "postgresql"; readonly url: string; readonly label: string };

const EXPECTED =
  "expected sqlite:data/gleaner.db, sqlite:///absolute/path.db, or postgresql://user:password@host:5432/database";

/**
 * Parses a store's URL.
 * @throws {Error} that says what was expected and never repeats the URL, which may hold a password.
 */
export function parseStoreUrl(text: string): StoreUrl {
  const scheme = /^([a-z0-9+]+):/i.exec(text)?.[1]?.toLowerCase();
  const parse = PARSERS[scheme ?? ""];
  if (!parse)
    throw new Error(`DATABASE_URL has ${scheme ? `the unknown scheme ${scheme}:` : "no scheme"}; ${EXPECTED}`);
  return parse(text);
}

/** What can be said of a store before it is open: its label, and whether it lives in this process. */
export function describeStore(text: string): { readonly label: string; readonly embedded: boolean } {
  const { engine, label } = parseStoreUrl(text);
  return { label, embedded: engine === "sqlite" };
}

const PARSERS: Readonly<Record<string, (text: string) => StoreUrl>> = {
  sqlite: parseSqlite,
  postgres: parsePostgres,
  postgresql: parsePostgres,
};

function parseSqlite(text: string): StoreUrl {
  const rest = text.slice("sqlite:".length);
  // sqlite:///x is an absolute path; some write it with a fourth slash.
  const path = rest.startsWith("//") ? rest.replace(/^\/\/+/, "/") : rest;
  if (path === "" || path === "/" || (/^\/\/[^/]/.test(rest) && rest !== "//:memory:"))
    throw new Error(`DATABASE_URL names no SQLite file; ${EXPECTED}`);
  if (path === "/:memory:") return { engine: "sqlite", path: ":memory:", label: "sqlite :memory:" };
  return { engine: "sqlite", path, label: `sqlite ${path}` };
}

function parsePostgres(text: string): StoreUrl {
  // A user without a host (`postgresql://me@/db?host=/socket`) is libpq's to allow and URL's to refuse.
  const url = URL.parse(text.replace("@/", "@localhost/"));
  if (!url)
    throw new Error(
      `DATABASE_URL is not a valid URL (is a special character in the password not percent-encoded?); ${EXPECTED}`,
    );
  const host = url.searchParams.get("host") ?? (decode(url.hostname) || "localhost");
  return {
    engine: "postgresql",
    url: text,
    label: `postgresql ${host}${url.port && `:${url.port}`}${decode(url.pathname)}`,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
