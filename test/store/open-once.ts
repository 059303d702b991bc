import { openStore } from "../../src/store/open.ts";
import { options } from "./make.ts";

/**
 * A process that opens the store named by its argument and closes it again, for tests of several at a time:
 * it says "ready" when everything is loaded, and opens when its input ends.
 */
console.log("ready");
for await (const _ of process.stdin);
const store = await openStore(options(String(process.argv[2])));
await store.close();
