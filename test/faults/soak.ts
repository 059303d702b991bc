/**
 * Random faults over simulated kits: `npm run soak -- --minutes 10 [--seed 1] [--kits 50]`.
 * Prints the seed first, so that a run can be had again; ends with what is missing, what is double, and the growth of memory.
 */
import { parseArgs } from "node:util";
import { soak } from "./support/soak.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    kits: { type: "string", default: "50" },
  },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}: npm run soak -- --minutes ${values.minutes} --kits ${values.kits} --seed ${seed}`);
const {
  missing = 0,
  duplicates = 0,
  ...figures
} = await soak({
  ...{ minutes: Number(values.minutes), kits: Number(values.kits), seed },
  say: (line) => console.log(line),
});
console.log(`offered ${figures.offered}, stored ${figures.stored}, ${figures.events} faults, seed ${seed}`);
console.log(
  `recovered in ${figures.recoverySeconds} s, peak RSS ${figures.peakRssMb} MB, RSS slope ${figures.slope} MB/h`,
);
console.log(`missing ${missing}, duplicates ${duplicates}`);
process.exitCode = missing === 0 && duplicates === 0 ? 0 : 1;
