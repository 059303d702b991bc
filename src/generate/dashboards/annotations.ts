import type { AnnotationQuery } from "@grafana/grafana-foundation-sdk/dashboard";
import { DATABASE, dedent } from "./queries.ts";

/** Marks changes of state on the graphs. `where` narrows it down, on the columns of health_events. */
export function transitions(where = "true"): AnnotationQuery {
  const rawSql = dedent(`
    select time, id || ': ' || from_state || ' to ' || to_state || coalesce(' (' || details || ')', '') as text,
           kind || ',' || severity as tags
    from health_events
    where $__timeFilter(time) and ${where}
    order by time desc limit 200`);
  return {
    name: "Changes of state",
    datasource: DATABASE,
    enable: true,
    hide: false,
    iconColor: "orange",
    target: { refId: "Transitions", rawSql, format: "table", editorMode: "code", rawQuery: true } as never,
  };
}

/** Not what every start has: that a target answers for the first time. */
export const NEWS = "not (from_state = 'unknown' and severity = 'info')";
