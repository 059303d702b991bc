import type { Finding } from "../document.ts";
import type { CheckedDashboard } from "./structure.ts";

/** What is around the file that is checked. */
export interface World {
  /** Dashboards by uid; undefined where the structure of one is wrong, which has been said. */
  readonly dashboards: ReadonlyMap<string, CheckedDashboard | undefined>;
  /** Types of the provisioned data sources by uid; undefined when there are none in this folder, or not all can be read. */
  readonly datasources: ReadonlyMap<string, string> | undefined;
}

/** One thing that every dashboard must have or must not do. */
export interface DashboardRule {
  /** What a problem names in brackets at its end; the linter's own name where the rule is one of Grafana's dashboard-linter. */
  readonly id: string;
  check(subject: CheckedDashboard, world: World): readonly Finding[];
}

/** Panels that show no data of a query. */
export const WITHOUT_QUERIES = ["row", "text", "alertlist", "dashlist", "annolist", "news", "welcome"];
