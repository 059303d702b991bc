import { setTimeout as sleep } from "node:timers/promises";

/** Kinds that Node opens by itself, or that are about to close. */
const PASSING = /^(PipeWrap|TTYWrap|FSReqPromise|FSReqCallback|CloseReq|Immediate)$/;
/** How long something that was told to close may take to be gone (ms): on a machine that does much else, it takes its time. */
const GRACE_MS = 1_000;
const LOOK_MS = 10;

const open = () => process.getActiveResourcesInfo().filter((kind) => !PASSING.test(kind));
const count = (kinds: readonly string[], kind: string) => kinds.filter((one) => one === kind).length;

/** Runs something, and says which kinds of handle are more afterwards than before: sockets, timers, processes. */
export async function leftOpen(run: () => Promise<void>): Promise<readonly string[]> {
  const before = open();
  await run();
  const more = () => {
    const after = open();
    return [...new Set(after)].filter((kind) => count(after, kind) > count(before, kind));
  };
  for (let waited = 0; waited < GRACE_MS && more().length > 0; waited += LOOK_MS) await sleep(LOOK_MS);
  return more();
}
