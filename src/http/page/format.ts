const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

const RELATIVE = new Intl.RelativeTimeFormat("en", { style: "narrow" });
const NUMBER = new Intl.NumberFormat("en");

/** `12s ago`, `in 4s`, `3m ago`, `2d ago`: the largest unit that is not zero, rounded towards now. */
export function relativeTime(at: Date, now: Date): string {
  const seconds = Math.trunc((at.getTime() - now.getTime()) / 1_000);
  if (seconds === 0) return "now";
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** `3 d 4 h`, `12 min 5 s`: the two largest units of a length of time, never negative. */
export function span(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1_000));
  const parts = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3_600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return "0 s";
  const two = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return two.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** `12,345`. */
export function count(n: number): string {
  return NUMBER.format(n);
}

/** `1 kit`, `2,000 kits`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}
