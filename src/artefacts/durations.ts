import { z } from "zod";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, y: 31536e6 };
const DURATION = /^(?:0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?)$/;

/** A duration as Prometheus and Grafana's alerting write it: `30s`, `1h30m`, `0`. */
export const promDuration = z.string().regex(DURATION, { error: "expected a duration such as 30s or 1h30m" });

/** Milliseconds of a duration that has been checked. */
export const promMs = (text: string): number =>
  [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce((sum, [, n, unit = ""]) => sum + Number(n) * (UNITS[unit] ?? 0), 0);
