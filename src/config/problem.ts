/** Where a value sits in a configuration: keys and list positions from the top. */
export type Path = readonly PropertyKey[];

/** Most problems one error spells out; a broken template would otherwise fill the terminal. */
const SHOWN = 100;

/**
 * The configuration cannot be used. `problems` holds every reason found, each a finished line:
 * `file:line:column path: what was expected`, or `VARIABLE: what was expected`.
 * No line quotes a configured value: any value may be a secret.
 */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const more = problems.length - SHOWN;
    super([...problems.slice(0, SHOWN), ...(more > 0 ? [`… and ${more} more`] : [])].join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Longest key that a message repeats in full; YAML allows 1024 characters. */
const KEY_SHOWN = 80;

/** `["server", "tokens", 0, "name"]` -> `server.tokens[0].name`; a key that is no plain word is quoted. */
export function formatPath(path: Path): string {
  return path.map(formatStep).join("").replace(/^\./, "");
}

function formatStep(step: PropertyKey): string {
  if (typeof step === "number") return `[${step}]`;
  const key = String(step).slice(0, KEY_SHOWN);
  return /^[\w:-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** One text per path, for maps and sets. */
export function pathKey(path: Path): string {
  return path.map(String).join("\0");
}

/** Problems as one reads a file: by line and column within each file, what has no place last. */
export function inOrder(problems: readonly string[]): string[] {
  const placed = problems.map((problem) => {
    const [, file = "", line = Infinity, column = Infinity] = /^(.*?):(\d+):(\d+)[ :]/.exec(problem) ?? [];
    return { problem, file, line: Number(line), column: Number(column) };
  });
  const files = [...new Set(placed.map(({ file }) => file))];
  // Infinity minus itself is NaN, which counts as equal.
  placed.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
  return placed.map(({ problem }) => problem);
}
