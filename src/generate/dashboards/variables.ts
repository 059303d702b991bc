// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import {
  type VariableModel,
  VariableRefresh,
  VariableSort,
  VariableType,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATABASE, dedent, PROMETHEUS } from "./queries.ts";

/** What a query may say for a variable's value: as a quoted SQL string, or as a list of them. */
export const quoted = (name: string): string => `\${${name}:sqlstring}`;

/** The value as an SQL number, whatever was typed: no text of a user's becomes SQL. */
export const numeric = (name: string): string => `${quoted(name)}::double precision`;

/** Metrics: the provisioned data source unless another is chosen. */
const datasource: VariableModel = {
  type: VariableType.Datasource,
  name: "datasource",
  label: "Data source",
  description: "The Prometheus that scrapes gleaner.",
  query: "prometheus",
  current: { text: "Prometheus", value: "prometheus" },
};

const database: VariableModel = {
  type: VariableType.Datasource,
  name: "database",
  label: "Database",
  description: "The PostgreSQL or TimescaleDB that gleaner stores rows in.",
  query: "grafana-postgresql-datasource",
  current: { text: "gleaner database", value: "gleaner-database" },
};

interface FromMetrics {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** The metric and its matchers. */
  readonly of: string;
  /** Whose values; the variable's name when absent. */
  readonly values?: string;
}

/** Values of a label: several may be chosen, all are to begin with. */
export function labelVariable({ name, label, description, of, values = name }: FromMetrics): VariableModel {
  const query = `label_values(${of}, ${values})`;
  return {
    ...{ type: VariableType.Query, name, label, description, datasource: PROMETHEUS },
    ...{ query: { query, refId: `Variable-${name}` }, definition: query },
    ...{ refresh: VariableRefresh.OnTimeRangeChanged, sort: VariableSort.NaturalAsc },
    ...{ multi: true, includeAll: true, allValue: ".+", current: { text: ["All"], value: ["$__all"] } },
  };
}

const job = labelVariable({
  ...{ name: "job", label: "Job", of: "gleaner_build_info" },
  description: "Scrape jobs that have gleaner's own metrics.",
});
const instance = labelVariable({
  ...{ name: "instance", label: "Instance", of: 'gleaner_build_info{job=~"$job"}' },
  description: "Collectors, by the address they are scraped at.",
});

/** What every dashboard on metrics begins with. */
export const COLLECTORS: readonly VariableModel[] = [datasource, job, instance];
/** What every dashboard on metrics and rows begins with. */
export const BOTH: readonly VariableModel[] = [datasource, database, job, instance];

interface FromRows {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** Gives `__value` and `__text`, in the order of choice. */
  readonly sql: string;
  /** Several at a time, all to begin with. */
  readonly multi?: boolean;
}

export function rowVariable({ name, label, description, sql, multi = false }: FromRows): VariableModel {
  const query = dedent(sql);
  return {
    ...{ type: VariableType.Query, name, label, description, datasource: DATABASE },
    ...{ query, definition: query, refresh: VariableRefresh.OnTimeRangeChanged, sort: VariableSort.Disabled },
    ...(multi ? { multi, includeAll: true, current: { text: ["All"], value: ["$__all"] } } : { multi }),
  };
}

/** Kits that are in use, the online ones first. */
const KITS = `
  select kit_id as "__value", coalesce(name || ' (' || kit_id || ')', kit_id) as "__text"
  from kits where enabled
  order by status <> 'online', kit_id limit 2000`;

const KIT = { name: "kit", label: "Kit", sql: KITS } as const;
export const ONE_KIT = rowVariable({ ...KIT, description: "The kit that this dashboard is about." });
export const KITS_OF_INTEREST = rowVariable({ ...KIT, multi: true, description: "Only what these kits heard." });

/** Some values to choose from, the first to begin with; others can be typed in. */
export function choice(name: string, label: string, description: string, values: readonly number[]): VariableModel {
  const options = values.map((value, index) => ({ text: `${value}`, value: `${value}`, selected: index === 0 }));
  const [first] = options;
  return {
    ...{
      type: VariableType.Custom,
      name,
      label,
      description,
      query: values.join(","),
      options,
      allowCustomValue: true,
    },
    ...(first ? { current: first } : {}),
  };
}
