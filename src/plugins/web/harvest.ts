import type { Context } from "../../model/plugin.ts";
import { CollectError } from "../../model/run.ts";
import type { Rejection, Sample } from "../../model/sample.ts";

interface Harvest<M extends string> {
  readonly samples: readonly Sample<M>[];
  readonly rejected: readonly Rejection[];
}

/**
 * Looks at many things, `width` of them at the same time. One that cannot even be looked at, because its settings name a file
 * that is not there (CollectError bad_data), is counted as `settings` and costs none of the others.
 */
export async function harvestEach<T, M extends string>(
  things: readonly T[],
  nameOf: (thing: T) => string,
  signal: AbortSignal,
  look: (thing: T) => Promise<readonly Sample<M>[]>,
  width = things.length,
): Promise<Harvest<M>> {
  const one = async (thing: T): Promise<Harvest<M>> => {
    try {
      return { samples: await look(thing), rejected: [] };
    } catch (error) {
      if (!(error instanceof CollectError && error.kind === "bad_data")) throw error;
      return { samples: [], rejected: [{ reason: "settings", detail: `${nameOf(thing)}: ${error.message}` }] };
    }
  };
  const harvests: Harvest<M>[] = [];
  // One iterator for all of them: each takes the next thing that nobody has taken.
  const entries = things.entries();
  const worker = async () => {
    for (const [index, thing] of entries) harvests[index] = await one(thing);
  };
  await Promise.all(Array.from({ length: width }, worker));
  // What was found is worth nothing when the run itself is over.
  signal.throwIfAborted();
  return {
    samples: harvests.flatMap(({ samples }) => samples),
    rejected: harvests.flatMap(({ rejected }) => rejected),
  };
}

/** A sample, or nothing where there is no value. */
export function maybe<M extends string>(
  metric: M,
  value: number | boolean | undefined,
  labels: Readonly<Record<string, string>>,
): readonly Sample<M>[] {
  return value === undefined ? [] : [{ metric, value: Number(value), labels }];
}

/** One series for each state, 1 for the one that holds. */
export function oneHot<M extends string>(
  metric: M,
  label: string,
  states: readonly string[],
  current: string | undefined,
  labels: Readonly<Record<string, string>>,
): readonly Sample<M>[] {
  return states.map((state) => ({ metric, value: Number(state === current), labels: { ...labels, [label]: state } }));
}

/** Why a thing is not well: the reason that is its state, and the words for people. */
export interface Trouble {
  readonly reason: string;
  readonly detail: string;
}

/** Says in the log when a thing falls ill, for another reason, and when it is well again: once, and not at every run. */
export function tellChange(
  { log, state }: Pick<Context, "log" | "state">,
  thing: string,
  trouble: Trouble | undefined,
): void {
  const key = `trouble of ${thing}`;
  if (state.get(key) === trouble?.reason) return;
  if (trouble === undefined) {
    state.delete(key);
    log.info({ thing }, "well again");
  } else {
    state.set(key, trouble.reason);
    log.warn({ thing, ...trouble }, "not well");
  }
}
