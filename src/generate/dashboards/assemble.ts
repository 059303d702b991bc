import {
  type AnnotationQuery,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type VariableModel,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { type Folded, layOut } from "./layout.ts";
import { MENU, TAG } from "./links.ts";
import type { Tile } from "./panels.ts";

/** A dashboard as its file says it. */
export interface Definition {
  /** Its address for good, at most 40 characters. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** What a reader sees first; about 24 units high fit on a screen of 1080 lines. */
  readonly tiles: readonly Tile[];
  readonly folded?: readonly Folded[];
  readonly variables: readonly VariableModel[];
  readonly annotations?: readonly AnnotationQuery[];
  /** The time range it opens with, back from now: `6h`. */
  readonly range: string;
  readonly refresh?: string;
  readonly tags?: readonly string[];
}

/** What Grafana 10 writes itself: newer ones migrate it when they load it, older ones read it as it is. */
const SCHEMA_VERSION = 39;

/** The JSON that Grafana's file provider loads. */
export function assemble(definition: Definition): Dashboard {
  const { uid, title, description, range, refresh = "30s", tags = [], annotations = [], variables } = definition;
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG, ...tags])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: `now-${range}`, to: "now" })
    .timezone("browser")
    .refresh(refresh)
    .build();
  return {
    id: null,
    ...dashboard,
    schemaVersion: SCHEMA_VERSION,
    panels: layOut(definition.tiles, definition.folded),
    templating: { list: [...variables] },
    annotations: { list: [...annotations] },
    links: [MENU],
  };
}
