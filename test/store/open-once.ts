import { openStore } from "../../src/store/open.ts";
import { options } from "./make.ts";

/** A process that opens the store named by its argument and closes it again: for tests of two at a time. */
const store = await openStore(options(String(process.argv[2])));
await store.close();
