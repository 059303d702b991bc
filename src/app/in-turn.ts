/** Does one piece of work after the other, in the order of asking. A piece that fails holds up none. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Nothing is under way yet. */
export function createInTurn(): InTurn {
  let busy: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = busy.then(work);
    busy = done.catch(() => undefined);
    return done;
  };
}
