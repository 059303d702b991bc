import { whyNoPostgres } from "../store/postgres.ts";
import { fault } from "./support/fault.ts";
import { soak } from "./support/soak.ts";

const skip = whyNoPostgres() ?? false;
fault("C18", "a minute of random faults; npm run soak is the long form", { quick: false, timeout: 240_000, skip }, () =>
  soak({ minutes: 1, seed: 18, kits: 30, kills: true, say: () => undefined }),
);
