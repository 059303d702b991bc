/**
 * A number in [0, 1) that depends on its integer arguments alone, so that the simulated world is the same for a
 * seed however often and in whatever order it is asked. The mixing constants are those of lowbias32 (Chris Wellons,
 * "hash-prospector").
 */
export function unit(a: number, b: number, c: number, d = 0): number {
  return mix(mix(mix(mix(0x9e3779b9, a), b), c), d) / 0x1_0000_0000;
}

/** `unit` stretched to [low, high). */
export function between(low: number, high: number, a: number, b: number, c: number, d = 0): number {
  return low + (high - low) * unit(a, b, c, d);
}

/** `length` characters of the alphabet that serial numbers use (no I and O), chosen by the integers. */
export function serial(length: number, a: number, b: number, c: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += SERIAL[Math.floor(unit(a, b, c, i) * SERIAL.length)];
  return text;
}

/** `length` lower-case hex digits chosen by the integers. */
export function hex(length: number, a: number, b: number, c: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += Math.floor(unit(a, b, c, i) * 16).toString(16);
  return text;
}

const SERIAL = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

function mix(hash: number, part: number): number {
  let h = (hash ^ part) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
