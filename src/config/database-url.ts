import { resolve } from "node:path";

const SUPPORTED = "expected a database URL that begins with sqlite:, postgresql: or postgres:";
const SERVER =
  "expected postgresql://user@host:5432/database; special characters in user and password must be percent-encoded";
/** A database that lives in memory and ends with the process. */
const MEMORY = ":memory:";

/** What is wrong with a database URL, or undefined. Never quotes it: it may hold a password. */
export function databaseUrlProblem(url: string): string | undefined {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase();
  if (scheme === "sqlite:") return /(^|\/)$/.test(sqlitePath(url)) ? "expected a file after sqlite:" : undefined;
  if (scheme !== "postgresql:" && scheme !== "postgres:") return SUPPORTED;
  return isServerUrl(url) ? undefined : SERVER;
}

function isServerUrl(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^[a-z]+:\/\//i.test(url) || parsed.pathname.length < 2) return false;
  try {
    // The driver decodes these, and its complaint about a stray % would quote the password.
    decodeURIComponent(`${parsed.username}${parsed.password}${parsed.pathname}`);
    return true;
  } catch {
    return false;
  }
}

/** `sqlite:a.db`, `sqlite://a.db` and `sqlite:///./a.db` are relative, `sqlite:/a.db` and `sqlite:///a.db` are not. */
function sqlitePath(url: string): string {
  return url
    .slice("sqlite:".length)
    .replace(/^\/\/(\/(?=\.\.?\/))?/, "")
    .trim();
}

/** The one form of a valid URL that the rest of gleaner sees: `sqlite:` with an absolute path, or `postgresql://…`. */
export function resolveDatabaseUrl(url: string, folder: string): string {
  if (/^sqlite:/i.test(url)) {
    const path = sqlitePath(url);
    return path === MEMORY ? `sqlite:${MEMORY}` : `sqlite:${resolve(folder, path)}`;
  }
  return url.replace(/^postgres(?:ql)?:/i, "postgresql:");
}

/** A URL for people: without password and without its query, which may hold secrets too. */
export function redactDatabaseUrl(url: string): string {
  if (/^sqlite:/i.test(url)) return url;
  const parsed = URL.parse(url);
  if (parsed === null) return "postgresql:";
  parsed.password = "";
  parsed.search = "";
  parsed.hash = "";
  return parsed.href;
}
