/** A metric as the Prometheus linter sees it. */
export interface LintedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly labels: readonly string[];
}

/** Units the linter knows -> the base unit it wants (client_golang, promlint/validations/units.go). */
const BASE_UNITS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "seconds", "volts"].map((unit) => [
      unit,
      unit,
    ]),
  ),
  minutes: "seconds",
  hours: "seconds",
  days: "seconds",
  weeks: "seconds",
  kelvins: "kelvin",
  fahrenheit: "celsius",
  rankine: "celsius",
  inches: "meters",
  yards: "meters",
  miles: "meters",
  bits: "bytes",
  calories: "joules",
  pounds: "grams",
  ounces: "grams",
};
const PREFIX = /^(pico|nano|micro|milli|centi|deci|deca|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi)/;
const ABBREVIATION = /_(s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(_|$)/i;
const TYPE_IN_NAME = /_(gauge|counter|summary|histogram|untyped)(_|$)/i;

/** The first unit in a name that is no base unit, with the base unit to use instead. */
function foreignUnit(name: string): string | undefined {
  const units = name.split("_").filter((word) => word in BASE_UNITS || word.replace(PREFIX, "") in BASE_UNITS);
  const [unit] = units;
  return unit !== undefined && BASE_UNITS[unit] !== unit ? unit : undefined;
}

/** Every complaint `promtool check metrics` would have of this metric, and ours on names; empty when it is clean. */
export function promlint({ name, help, type, labels }: LintedMetric): readonly string[] {
  const total = name.endsWith("_total");
  const camel = (text: string) => /[a-z][A-Z]/.test(text);
  const complaints: [boolean, string][] = [
    [help.trim() === "", "no help text"],
    [foreignUnit(name) !== undefined, `use a base unit instead of ${foreignUnit(name)}`],
    [type === "counter" && !total, 'counter metrics should have "_total" suffix'],
    [type !== "counter" && total, 'non-counter metrics should not have "_total" suffix'],
    [type !== "gauge" && name.endsWith("_timestamp_seconds"), 'only gauges have "_timestamp_seconds" suffix'],
    [/_(bucket|count|sum)$/.test(name), "suffix reserved for histograms and summaries"],
    [labels.some((label) => label === "le" || label === "quantile"), "label reserved for histograms and summaries"],
    [TYPE_IN_NAME.test(name), "metric name should not include type"],
    [name.includes(":"), "metric names should not contain ':'"],
    [camel(name) || labels.some(camel), "names should be written in 'snake_case' not 'camelCase'"],
    [ABBREVIATION.test(name), "metric names should not contain abbreviated units"],
  ];
  return complaints.filter(([wrong]) => wrong).map(([, complaint]) => complaint);
}
