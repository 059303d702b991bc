import type { AlertSpec } from "../../model/alert.ts";

/** Servers that soon refuse clients. */
export const CONNECTIONS: readonly AlertSpec[] = [
  {
    name: "postgres_connections_high",
    op: "gt",
    threshold: 0.8,
    for: "10m",
    keepFiringFor: "5m",
    severity: "warning",
    summary: "{value:percent} of the connections of {target} are taken.",
    runbook: {
      meaning: "More than 80 % of `max_connections` have been held by clients for 10 minutes.",
      impact: "At 100 % new clients are refused: `FATAL: sorry, too many clients already`.",
      check: [
        "`select state, usename, application_name, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc`.",
        "`gleaner_postgres_connections` by state: many that are idle in transaction are a fault of an application.",
      ],
      fix: [
        "Mend or limit the application that opens so many; put a pooler (PgBouncer) in front.",
        "Set `idle_in_transaction_session_timeout`. Raise `max_connections` only with the memory for it.",
      ],
    },
  },
];

/** Servers that come near the end of their transaction ids. */
export const WRAPAROUND: readonly AlertSpec[] = [
  {
    name: "postgres_wraparound_near",
    op: "gt",
    threshold: 1_000_000_000,
    for: "15m",
    severity: "critical",
    summary: "The oldest unfrozen transaction of {target} is {value} transactions old.",
    runbook: {
      meaning: "Vacuum has not frozen old rows for a billion transactions; by itself it starts at 200 million.",
      impact: "3 million before 2^31 (2.1 billion) the server takes no more writes until a vacuum is done.",
      check: [
        "`select datname, age(datfrozenxid) from pg_database order by 2 desc`.",
        "`select pid, state, xact_start, backend_xmin from pg_stat_activity order by age(backend_xmin) desc nulls last`; `select * from pg_prepared_xacts`; old replication slots: each of these holds vacuum back.",
      ],
      fix: ["End what holds it back.", "`vacuum (freeze, verbose)` the oldest tables of the database."],
    },
  },
];
