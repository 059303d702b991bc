import type {
  DataTransformerConfig,
  DynamicConfigValue,
  FieldConfig,
  FieldConfigSource,
  Panel,
  Threshold,
  ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { FieldColorModeId, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import type { DataLink } from "./links.ts";
import { lettered, type Query, sourceOf } from "./queries.ts";

/** A panel and its size in grid units; where it stands is the layout's business. */
export interface Tile {
  readonly panel: Panel;
  readonly w: number;
  readonly h: number;
}

/** What every kind of panel takes. */
export interface PanelOptions {
  readonly title: string;
  /** What it shows and what to do about it; one or two sentences. */
  readonly description: string;
  readonly queries: readonly Query[];
  readonly w: number;
  readonly h: number;
  /** One of UNITS. */
  readonly unit?: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly mappings?: readonly ValueMapping[];
  /** From below to above; the first one's value is null. */
  readonly thresholds?: readonly Threshold[];
  /** What stands there when there is nothing. */
  readonly noValue?: string;
  readonly links?: readonly DataLink[];
  readonly fields?: readonly Override[];
  readonly transformations?: readonly DataTransformerConfig[];
  /** Shortest step between two points, for data that comes less often than it is scraped. */
  readonly interval?: string;
}

/** What differs for some fields of a panel. */
export type Override = FieldConfigSource["overrides"][number];

/** What a field can have of its own. */
export interface FieldOptions {
  readonly unit?: string;
  readonly decimals?: number;
  readonly mappings?: readonly ValueMapping[];
  readonly thresholds?: readonly Threshold[];
  readonly links?: readonly DataLink[];
  /** In pixels. */
  readonly width?: number;
  readonly color?: string;
  /** A bare line without the area below it: for a limit among values. */
  readonly bare?: boolean;
  /** Cell of a table: coloured by its mapping or threshold, or a bar. */
  readonly cell?: "color-text" | "color-background" | "gauge";
  readonly min?: number;
  readonly max?: number;
  readonly description?: string;
}

/** Everything is welcome. */
const PLAIN: readonly Threshold[] = [{ value: null, color: "green" }];

/** Steps for values of which more is worse: `rising(0.8, 0.95)`. Without an `alarm` there is only a warning. */
export function rising(warning: number, alarm?: number): Threshold[] {
  const steps: Threshold[] = [
    { value: null, color: "green" },
    { value: warning, color: "yellow" },
  ];
  return alarm === undefined ? steps : [...steps, { value: alarm, color: "red" }];
}

/** Steps for values of which less is worse: `falling(0.95, 0.99)`: red below the first, yellow below the second. */
export function falling(alarm: number, warning: number): Threshold[] {
  return [
    { value: null, color: "red" },
    { value: alarm, color: "yellow" },
    { value: warning, color: "green" },
  ];
}

/** Any value from 1 on is bad. */
export const NONE_WELCOME: readonly Threshold[] = [
  { value: null, color: "green" },
  { value: 1, color: "red" },
];

/** A number without judgement. */
export const NEUTRAL: readonly Threshold[] = [{ value: null, color: "blue" }];

const steps = (thresholds: readonly Threshold[]) => ({ mode: ThresholdsMode.Absolute, steps: [...thresholds] });

/** For the field of this name, or of a name that the expression matches. */
export function field(name: string | RegExp, options: FieldOptions): Override {
  const matcher =
    typeof name === "string" ? { id: "byName", options: name } : { id: "byRegexp", options: `/${name.source}/` };
  return { matcher, properties: propertiesOf(options) };
}

function propertiesOf({ thresholds, color, bare, width, cell, ...plain }: FieldOptions): DynamicConfigValue[] {
  return [
    ...Object.entries(plain).map(([id, value]) => ({ id, value })),
    ...(thresholds ? [{ id: "thresholds", value: steps(thresholds) }] : []),
    ...(color ? [{ id: "color", value: { mode: FieldColorModeId.Fixed, fixedColor: color } }] : []),
    ...(bare ? [{ id: "custom.fillOpacity", value: 0 }] : []),
    ...(width ? [{ id: "custom.width", value: width }] : []),
    ...(cell
      ? [{ id: "custom.cellOptions", value: { type: cell, ...(cell === "gauge" ? { mode: "basic" } : {}) } }]
      : []),
  ];
}

/** A builder of the SDK's, for the options of its kind of panel. */
interface Builder {
  build(): Panel;
}

/** What the kinds have in common, on top of what the builder made. */
export function finish(builder: Builder, options: PanelOptions, defaults: FieldConfig = {}): Tile {
  const made = builder.build();
  const { title, description, queries, transformations, interval, w, h } = options;
  const panel: Panel = {
    ...made,
    ...{ title, description, datasource: sourceOf(queries), targets: lettered(queries) },
    ...(transformations ? { transformations: [...transformations] } : {}),
    ...(interval ? { interval } : {}),
    fieldConfig: {
      defaults: { ...made.fieldConfig?.defaults, ...defaultsOf(options), ...defaults },
      overrides: [...(options.fields ?? [])],
    },
  };
  return { panel, w, h };
}

function defaultsOf(options: PanelOptions): FieldConfig {
  const { unit = "none", decimals, min, max, mappings = [], thresholds = PLAIN, noValue = "no data", links } = options;
  return {
    ...{ unit, noValue, mappings: [...mappings], thresholds: steps(thresholds) },
    ...(decimals === undefined ? {} : { decimals }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    // The SDK has a dashboard's link here; a link on data is only these.
    ...(links
      ? { links: links.map((link) => ({ ...link, targetBlank: false })) as unknown as FieldConfig["links"] }
      : {}),
  };
}
