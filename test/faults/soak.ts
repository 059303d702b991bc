/**
 * Random faults over simulated kits: `npm run soak -- --minutes 10 [--seed 1] [--kits 50] [--no-kills]`.
 * Without kills one gleaner lives all along, and the slope of its memory tells whether it grows.
 * Prints the seed first, so that a run can be had again; ends with what is missing, what is double, and the growth of memory.
 */
import { parseArgs } from "node:util";
import { soak } from "./support/soak.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    kits: { type: "string", default: "50" },
    kills: { type: "boolean", default: true },
  },
  allowNegative: true,
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
console.log(
  `seed ${seed}: npm run soak -- --minutes ${values.minutes} --kits ${values.kits} --seed ${seed}${values.kills ? "" : " --no-kills"}`,
);
const {
  missing = 0,
  duplicates = 0,
  ...figures
} = await soak({
  ...{ minutes: Number(values.minutes), kits: Number(values.kits), seed, kills: values.kills },
  say: (line) => console.log(line),
});
console.log(`offered ${figures.offered}, stored ${figures.stored}, ${figures.events} faults, seed ${seed}`);
const slope = figures.slope === undefined ? "unknown: no life was long enough" : `${figures.slope.toFixed(1)} MB/h`;
console.log(`recovered in ${figures.recoverySeconds} s, peak RSS ${figures.peakRssMb} MB, RSS slope ${slope}`);
console.log(`missing ${missing}, duplicates ${duplicates}`);
process.exitCode = missing === 0 && duplicates === 0 ? 0 : 1;
