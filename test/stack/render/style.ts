import type { Panel } from "../../../src/artefacts/dashboards/schema.ts";
import { type Field, type Frame, shownName } from "../grafana/frames.ts";
import { formatValue } from "./units.ts";

/** Grafana's named colours, in its dark theme. */
const COLOURS: Readonly<Record<string, string>> = {
  ...{ green: "#73BF69", red: "#F2495C", yellow: "#FADE2A", blue: "#5794F2", orange: "#FF9830", purple: "#B877D9" },
  ...{ text: "#CCCCDC", transparent: "transparent" },
};
/** The first colours of its classic palette. */
export const PALETTE = [
  ...["#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642", "#CCA300"],
  ...["#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477", "#B7DBAB", "#F4D598", "#70DBED", "#F9BA8F"],
];

export const colourOf = (name: string): string => COLOURS[name] ?? name;

type Defaults = NonNullable<Panel["fieldConfig"]>["defaults"];

/** A field with everything that the panel's settings say of it. */
export interface Styled extends Field {
  readonly config: Defaults;
  readonly title: string;
  /** Place among the fields that show values, for the palette. */
  readonly place: number;
}

/** Applies a panel's defaults and overrides to its fields, and names them. */
export function styled(panel: Panel, frames: readonly Frame[]): Styled[][] {
  let place = 0;
  return frames.map(({ refId, fields }) =>
    fields.map((field): Styled => {
      const config = configOf(panel, field, refId);
      const isValue = field.type === "number";
      return { ...field, config, title: config.displayName ?? shownName(field), place: isValue ? place++ : -1 };
    }),
  );
}

function configOf({ fieldConfig }: Panel, field: Field, refId: string): Defaults {
  const config: Record<string, unknown> = structuredClone(fieldConfig?.defaults ?? {});
  for (const { matcher, properties } of fieldConfig?.overrides ?? []) {
    const wanted = String(matcher.options);
    const matches =
      (matcher.id === "byName" && [field.name, shownName(field)].includes(wanted)) ||
      (matcher.id === "byRegexp" && new RegExp(wanted.replaceAll(/^\/|\/$/g, "")).test(shownName(field))) ||
      (matcher.id === "byFrameRefID" && refId === wanted);
    if (!matches) continue;
    for (const { id, value } of properties) {
      if (!id.startsWith("custom.")) config[id] = value;
      else config["custom"] = { ...(config["custom"] as object | undefined), [id.slice("custom.".length)]: value };
    }
  }
  return config as Defaults;
}

/** Text and colour of a value: by its mapping, else by unit and thresholds. */
export function appearance(
  { config, place }: Styled,
  value: unknown,
): { readonly text: string; readonly colour: string } {
  const mapped = mappingOf(config, value);
  const byRule = () => {
    if (config.color?.mode === "fixed") return colourOf(config.color.fixedColor ?? "text");
    if (config.color?.mode?.startsWith("palette")) return PALETTE[Math.max(place, 0) % PALETTE.length] ?? "";
    return thresholdColour(config, Number(value));
  };
  const text =
    mapped?.text ??
    (value === null || value === undefined || value === ""
      ? (config.noValue ?? "-")
      : typeof value === "number"
        ? formatValue(value, config.unit, config.decimals ?? undefined)
        : String(value));
  return { text, colour: mapped?.color ? colourOf(mapped.color) : byRule() };
}

function mappingOf({ mappings = [] }: Defaults, value: unknown) {
  for (const mapping of mappings) {
    if (mapping.type === "value" && Object.hasOwn(mapping.options, String(value)))
      return mapping.options[String(value)];
    if (mapping.type === "range" && typeof value === "number") {
      const { from, to, result } = mapping.options;
      if (value >= (from ?? -Infinity) && value <= (to ?? Infinity)) return result;
    }
    if (mapping.type === "special" && mapping.options.match === "null" && value === null) return mapping.options.result;
  }
  return undefined;
}

export function thresholdColour({ thresholds, min = 0, max = 1 }: Defaults, value: number): string {
  const scale =
    thresholds?.mode === "percentage"
      ? (n: number) => (min ?? 0) + (n / 100) * ((max ?? 1) - (min ?? 0))
      : (n: number) => n;
  const step = thresholds?.steps.findLast((one) => one.value === null || value >= scale(one.value));
  return colourOf(step?.color ?? "text");
}

export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The last value that is one. */
export const lastOf = (values: readonly unknown[]): unknown =>
  values.findLast((value) => value !== null && value !== undefined && !Number.isNaN(value)) ?? null;

/** A value by the calculation a panel asks for. */
export function reduced(values: readonly unknown[], calc = "lastNotNull"): unknown {
  const numbers = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  const sum = numbers.reduce((total, value) => total + value, 0);
  if (calc === "lastNotNull" || calc === "last") return lastOf(values);
  if (numbers.length === 0) return null;
  if (calc === "max") return Math.max(...numbers);
  if (calc === "min") return Math.min(...numbers);
  if (calc === "mean") return sum / numbers.length;
  if (calc === "sum") return sum;
  if (calc === "first" || calc === "firstNotNull") return numbers[0];
  throw new Error(`the calculation ${calc} is not known here`);
}
