/** Something about a plugin that is not as it must be. `at` is where to look: keys of the plugin's value, outermost first. */
export interface Fault {
  readonly message: string;
  readonly at: readonly string[];
}

/** The faults whose condition holds. */
export function faultsOf(
  at: readonly string[],
  checks: readonly (readonly [wrong: boolean, message: string])[],
): Fault[] {
  return checks.filter(([wrong]) => wrong).map(([, message]) => ({ message, at }));
}

/** Text for people: begins like a sentence and does not end in a blank. */
export const SENTENCE = /^[A-Z0-9].*\S$/s;
export const SNAKE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
