import { fault } from "./support/fault.ts";

/** Faults of parts that are still to come: listed, so that nobody takes them for passed. */
const LATER: Readonly<Record<string, readonly [title: string, why: string]>> = {
  C14: ["500 subscribers, 100 of whom do not read", "nothing can be subscribed to yet"],
};

const run = async () => ({});
for (const [id, [title, skip]] of Object.entries(LATER)) fault(id, title, { quick: true, skip }, run);
