/** The units that dashboards here use, as Grafana writes them (its valueFormats), in few words. */
const UNITS: Readonly<Record<string, (value: number, decimals: number | undefined) => string>> = {
  none: plain,
  short: (value, decimals) => scaled(value, 1_000, ["", " K", " Mil", " Bil"], decimals),
  percentunit: (value, decimals) => `${plain(value * 100, decimals ?? 1)}%`,
  percent: (value, decimals) => `${plain(value, decimals ?? 1)}%`,
  bytes: (value, decimals) => scaled(value, 1_024, [" B", " KiB", " MiB", " GiB", " TiB"], decimals),
  binBps: (value, decimals) => scaled(value, 1_024, [" B/s", " KiB/s", " MiB/s", " GiB/s"], decimals),
  s: duration,
  ms: (value, decimals) => duration(value / 1_000, decimals),
  celsius: (value, decimals) => `${plain(value, decimals)} °C`,
  cps: (value, decimals) => `${plain(value, decimals)} c/s`,
  rowsps: (value, decimals) => `${plain(value, decimals)} rows/s`,
  dBm: (value, decimals) => `${plain(value, decimals)} dBm`,
  degree: (value, decimals) => `${plain(value, decimals)}°`,
  lengthm: (value, decimals) => scaled(value, 1_000, [" m", " km"], decimals),
  velocityms: (value, decimals) => `${plain(value, decimals)} m/s`,
  bool_yes_no: (value) => (value === 0 ? "No" : "Yes"),
  dateTimeFromNow: (value) => `${duration((Date.now() - value) / 1_000, 0)} ago`,
};

function plain(value: number, decimals?: number): string {
  const size = Math.abs(value);
  const digits = decimals ?? (size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  return String(Number(value.toFixed(digits)));
}

function scaled(value: number, base: number, names: readonly string[], decimals?: number): string {
  let [rest, step] = [value, 0];
  while (Math.abs(rest) >= base && step < names.length - 1) [rest, step] = [rest / base, step + 1];
  return `${plain(rest, decimals)}${names[step]}`;
}

function duration(seconds: number, decimals?: number): string {
  const steps = [
    [31_536_000, " years"],
    [604_800, " weeks"],
    [86_400, " days"],
    [3_600, " hours"],
    [60, " mins"],
    [1, " s"],
    [0.001, " ms"],
    [0, " µs"],
  ] as const;
  const [width, name] = steps.find(([at]) => Math.abs(seconds) >= at) ?? steps[7];
  if (seconds === 0) return "0 s";
  const text = plain(seconds / (width || 0.000001), decimals);
  return `${text}${text === "1" ? name.replace(/s$/, name.length > 3 ? "" : "s") : name}`;
}

/** A unit that is not known is written behind the number, as Grafana does it too. */
export function formatValue(value: number, unit = "none", decimals?: number): string {
  const format = UNITS[unit];
  if (!Number.isFinite(value)) return "-";
  return format ? format(value, decimals) : `${plain(value, decimals)} ${unit}`;
}
