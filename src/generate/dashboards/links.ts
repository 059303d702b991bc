// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
import { type DashboardLink, DashboardLinkType } from "@grafana/grafana-foundation-sdk/dashboard";

/** Every dashboard's address; alert rules and other dashboards point at these. */
export const UIDS = {
  fleet: "gleaner-fleet",
  kit: "gleaner-kit",
  airspace: "gleaner-airspace",
  plugins: "gleaner-plugins",
  host: "gleaner-host",
  collector: "gleaner-collector",
  history: "gleaner-history",
} as const;

/** The address of a plugin's own dashboard; `id` may be a variable of Grafana's. */
export const pluginUid = (id: string): string => `gleaner-plugin-${id}`;

/** By which dashboards find each other. */
export const TAG = "gleaner";

/** A link on a value of a panel. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** What the reader chose and links carry on: the metrics' data source with its collectors, and the database. */
const METRICS = ["datasource", "job", "instance"] as const;
const ROWS = ["database"] as const;

/** Dashboards that need no database, so that they work with any store of gleaner's. */
const needsNoDatabase = (uid: string): boolean =>
  uid === UIDS.host || uid === UIDS.collector || uid.startsWith(pluginUid(""));
const carriedBy = (uid: string): readonly string[] => (needsNoDatabase(uid) ? METRICS : [...METRICS, ...ROWS]);

/** From a dashboard to another, at the same time range, with variables of its own set: `{ kit: "${__data.fields.Kit}" }`. */
export function link(
  title: string,
  from: string,
  to: string,
  variables: Readonly<Record<string, string>> = {},
): DataLink {
  const own = Object.entries(variables).map(([name, value]) => `var-${name}=${value}`);
  const kept = carriedBy(from).filter((name) => carriedBy(to).includes(name));
  const query = [...own, ...kept.map((name) => `\${${name}:queryparam}`), "${__url_time_range}"];
  return { title, url: `/d/${to}?${query.join("&")}` };
}

/** The menu of gleaner's dashboards at the top of each. */
export const MENU: DashboardLink = {
  title: "gleaner",
  type: DashboardLinkType.Dashboards,
  icon: "external link",
  tooltip: "gleaner's other dashboards, at the same time range",
  tags: [TAG],
  asDropdown: true,
  targetBlank: false,
  includeVars: true,
  keepTime: true,
};
