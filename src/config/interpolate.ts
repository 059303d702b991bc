/** The environment as process.env has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What became of one text: the result, whether a variable was put in, and the variables that are not set. */
export interface Interpolated {
  readonly text: string;
  readonly changed: boolean;
  readonly missing: readonly string[];
  /** A `${` that opens no reference. */
  readonly malformed: boolean;
}

const REFERENCE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Puts variables into a text: `${NAME}` must be set, `${NAME:-default}` need not be, `$$` is a dollar sign.
 * A variable that is set to nothing counts as unset, here as everywhere in the configuration.
 * What a variable holds is never read for references again.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  const missing: string[] = [];
  let changed = false;
  let malformed = false;
  const result = text.replaceAll(REFERENCE, (match, name: string | undefined, fallback: string | undefined) => {
    if (match === "$$") return "$";
    if (name === undefined) {
      malformed = true;
      return match;
    }
    changed = true;
    const value = env[name] || fallback;
    if (value === undefined) missing.push(name);
    return value ?? "";
  });
  return { text: result, changed, missing, malformed };
}
