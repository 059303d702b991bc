/** One mistake in a file of good/, and the one line that must come of it. */
export interface BadCase {
  readonly file: string;
  /** Text that occurs in the file, and what is there instead; its first occurrence is changed. */
  readonly change: readonly [from: string, to: string];
  /** The only problem of this file, without its name: `line:column path: message [rule]`. */
  readonly says: string;
}

const FLEET = "dashboards/fleet.json";
const KIT = "dashboards/kit.json";
const SOURCES = "provisioning/grafana/datasources/all.yaml";
const PROVIDER = "provisioning/grafana/dashboards/gleaner.yaml";
const ALERTING = "provisioning/grafana/alerting/kits.yaml";
const RULES = "provisioning/prometheus/kits.rules.yml";

const bad = (file: string, from: string, to: string, says: string): BadCase => ({ file, change: [from, to], says });

export const BAD_CASES: readonly BadCase[] = [
  // Structure of dashboards
  bad(FLEET, '"refresh": "30s"', '"refresh": 30', `11:14 refresh: expected text such as 30s, or an empty one`),
  bad(FLEET, '"timezone"', '"timeZone"', `7:3 timeZone: unknown key, did you mean "timezone"?`),
  bad(FLEET, '"id": null', '"id": 7', `3:9 id: expected null: a number is of one Grafana's own database`),
  bad(FLEET, '"uid": "fleet"', '"uid": "fleet & kits"', `2:10 uid: expected 1 to 40 letters, digits, - and _`),
  bad(FLEET, '"panels": [', '"panels": [ 7,', `86:15 panels[0]: expected a map, got a number`),
  bad(FLEET, '"id": 1,', '"id": 0,', `88:13 panels[0].id: expected a number from 1; alerts cannot refer to panel 0`),
  bad(
    FLEET,
    '"description": "Kits that',
    '"descripton": "Kits that',
    `91:7 panels[0].descripton: unknown key, did you mean "description"?`,
  ),
  bad(
    FLEET,
    '"colorMode": "value"',
    '"colorMode": "values"',
    `101:33 panels[0].options.colorMode: expected one of value, background, background_solid, none`,
  ),
  bad(
    FLEET,
    '"colorMode"',
    '"colourMode"',
    `101:20 panels[0].options.colourMode: unknown key, did you mean "colorMode"?`,
  ),
  bad(
    FLEET,
    '{ "lineWidth": 1 }',
    '{ "linewidth": 1 }',
    `131:82 panels[1].fieldConfig.defaults.custom.linewidth: unknown key, did you mean "lineWidth"?`,
  ),
  bad(
    FLEET,
    '"instant": true',
    '"instnt": true',
    `98:11 panels[0].targets[0].instnt: unknown key, did you mean "instant"?`,
  ),
  bad(
    FLEET,
    '"format": "table",\n          "rawSql": "select *',
    '"format": "tabel",\n          "rawSql": "select *',
    `153:21 panels[3].targets[0].format: expected one of time_series, table`,
  ),
  bad(
    FLEET,
    '"renameByName"',
    '"rename"',
    `165:24 panels[3].transformations[0].options.rename: unknown key; known here: excludeByName, includeByName, indexByName, renameByName, orderByMode, orderBy`,
  ),
  bad(
    FLEET,
    '"id": "organize"',
    '"id": "organise"',
    `164:17 panels[3].transformations[0].id: Grafana has no such transformation, did you mean "organize"? [transformation]`,
  ),
  bad(
    FLEET,
    '"type": "query"',
    '"type": "querry"',
    `38:17 templating.list[2].type: expected a variable of type datasource, query, custom, constant, textbox or interval`,
  ),
  bad(
    FLEET,
    '"collapsed": false,',
    '"collapsed": "no",',
    `139:20 panels[2].collapsed: expected true or false, got text`,
  ),
  // The dashboard as a whole
  bad(
    KIT,
    '"uid": "kit"',
    '"uid": "fleet"',
    `2:10 uid: expected a uid of its own, this one is taken by dashboards/fleet.json [dashboard-unique]`,
  ),
  bad(
    KIT,
    '"title": "Kit"',
    '"title": "Fleet"',
    `3:12 title: expected a title of its own, this one is taken by dashboards/fleet.json [dashboard-unique]`,
  ),
  bad(
    FLEET,
    '"schemaVersion": 39',
    '"schemaVersion": 42',
    `12:20 schemaVersion: expected 36 to 41, which Grafana 9.4 to 13 all open [dashboard-settings]`,
  ),
  bad(
    FLEET,
    '  "refresh": "30s",\n',
    "",
    `1:1 refresh: expected how often to refresh, such as 30s [dashboard-settings]`,
  ),
  bad(
    FLEET,
    '"editable": false',
    '"editable": true',
    `8:15 editable: expected false: what is changed in Grafana is lost with the next file [uneditable-dashboard-rule]`,
  ),
  bad(
    FLEET,
    '"label": "Data source"',
    '"label": "Source"',
    `29:62 templating.list[0].label: expected "Data source" for the first variable of type datasource [template-datasource-rule]`,
  ),
  bad(
    FLEET,
    `"uid": "\${database}" },\n      "targets"`,
    '"uid": "P1809F7CD0C75ACF3" },\n      "targets"',
    `149:71 panels[3].datasource.uid: expected a variable of type datasource, or one of prometheus, timescaledb [panel-datasource-rule]`,
  ),
  bad(
    FLEET,
    `"prometheus", "uid": "\${datasource}" },\n      "targets"`,
    `"prometheus", "uid": "\${database}" },\n      "targets"`,
    `93:31 panels[0].datasource.type: expected grafana-postgresql-datasource, which database chooses from [panel-datasource-rule]`,
  ),
  bad(
    KIT,
    '      "datasource": { "type": "prometheus", "uid": "prometheus" },\n',
    "",
    `45:5 panels[0].datasource: expected a data source [panel-datasource-rule]`,
  ),
  bad(
    FLEET,
    'kit=~\\"$kit\\"}',
    'kit=~\\"$kits\\"}',
    `97:19 panels[0].targets[0].expr: there is no variable $kits, did you mean "kit"? [template-variable]`,
  ),
  bad(
    KIT,
    '"list": [',
    '"list": [ { "type": "textbox", "name": "idle", "query": "" },',
    `10:44 templating.list[0].name: no panel uses $idle [template-variable]`,
  ),
  bad(
    KIT,
    '"refresh": 2',
    '"refresh": 1',
    `18:20 templating.list[1].refresh: expected 2: with the time range the values change [template-on-time-change-reload-rule]`,
  ),
  bad(
    KIT,
    '"label_values(gleaner_kit_up, kit)"',
    '"gleaner_kit_up"',
    `37:18 templating.list[3].query: expected label_values(metric, label) or another query for a variable [template-label-promql-rule]`,
  ),
  bad(
    FLEET,
    "/d/kit?",
    "/d/kits?",
    `106:46 panels[0].fieldConfig.defaults.links[0].url: there is no dashboard with the uid kits, did you mean "kit"? [dashboard-link]`,
  ),
  bad(
    FLEET,
    "/d/kit?",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's variables look like these.
    "/d/kits-${__field.name}?",
    `106:46 panels[0].fieldConfig.defaults.links[0].url: there is no dashboard with the uid kits-, did you mean "kit"? [dashboard-link]`,
  ),
  bad(
    FLEET,
    "?var-kit=",
    "?var-kit_id=",
    `106:46 panels[0].fieldConfig.defaults.links[0].url: the dashboard kit has no variable kit_id; known here: datasource, job, instance, kit [dashboard-link]`,
  ),
  bad(
    FLEET,
    '"tags": ["gleaner"],\n      "asDropdown"',
    '"tags": ["gleaners"],\n      "asDropdown"',
    `17:15 links[0].tags: no dashboard has these tags [dashboard-link]`,
  ),
  bad(
    FLEET,
    '"label": "Job"',
    '"label": "Scrape job"',
    `40:18 templating.list[2].label: expected "Job" for the variable job [template-job-rule]`,
  ),
  bad(
    KIT,
    '"label": "Instance",',
    '"label": "Address",',
    `26:18 templating.list[2].label: expected "Instance" for the variable instance [template-instance-rule]`,
  ),
  bad(
    KIT,
    "job=~",
    "exported_job=~",
    `55:19 panels[0].targets[0].expr: expected gleaner_kit_state{job=~"$job", …} [target-job-rule]`,
  ),
  bad(
    KIT,
    'instance=~\\"$instance\\"',
    'instance=~\\"$instance|.+\\"',
    `55:19 panels[0].targets[0].expr: expected gleaner_kit_state{instance=~"$instance", …} [target-instance-rule]`,
  ),
  // Panels
  bad(
    FLEET,
    '"id": 4,',
    '"id": 2,',
    `144:13 panels[3].id: expected an id of its own, this one is taken by panel "Rows" [panel-id]`,
  ),
  bad(
    FLEET,
    '"refId": "B"',
    '"refId": "A"',
    `157:20 panels[3].targets[1].refId: expected a refId of its own, this one is taken by targets[0] [target-ref-id]`,
  ),
  bad(
    FLEET,
    '"description": "Kits that answer."',
    '"description": " "',
    `91:22 panels[0].description: expected a description: what does the panel answer? [panel-title-description-rule]`,
  ),
  bad(
    FLEET,
    '"unit": "none",',
    "",
    `103:21 panels[0].fieldConfig.defaults.unit: expected a unit ("short" or "none" for a plain number), or value mappings [panel-units-rule]`,
  ),
  bad(
    FLEET,
    '"noValue": "no drones"',
    '"decimals": 0',
    `168:36 panels[3].fieldConfig.defaults.noValue: expected what to show when there is no data: nothing happened, or something is wrong? [panel-no-value]`,
  ),
  bad(
    FLEET,
    `"targets": [
        {
          "refId": "A",
          "expr": "sum by (table) (rate(gleaner_store_rows_total{job=~\\"$job\\", instance=~\\"$instance\\"}[$__rate_interval]))",
          "legendFormat": "{{table}}"
        }
      ]`,
    '"targets": []',
    `123:18 panels[1].targets: expected a query [panel-no-targets-rule]`,
  ),
  bad(
    FLEET,
    '"expr": "sum(gleaner_kit_up{job=~\\"$job\\", instance=~\\"$instance\\", kit=~\\"$kit\\"})"',
    '"expr": ""',
    `97:19 panels[0].targets[0].expr: expected a query, this one is empty [panel-no-targets-rule]`,
  ),
  bad(
    FLEET,
    '{ "id": "unit", "value": "short" }',
    '{ "id": "units", "value": "short" }',
    `111:36 panels[0].fieldConfig.overrides[0].properties[0].id: a stat panel has no such property, did you mean "unit"? [panel-override]`,
  ),
  bad(
    FLEET,
    '"x": 6, "y": 0, "w": 18',
    '"x": 5, "y": 0, "w": 18',
    `121:18 panels[1].gridPos: lies over the panel "Online" [panel-layout]`,
  ),
  bad(
    FLEET,
    '"x": 6, "y": 0, "w": 18',
    '"x": 7, "y": 0, "w": 18',
    `121:18 panels[1].gridPos: expected x + w to be at most 24 [panel-layout]`,
  ),
  // Queries
  bad(
    FLEET,
    "[$__rate_interval]",
    "[5m]",
    `126:19 panels[1].targets[0].expr: expected rate(gleaner_store_rows_total[$__rate_interval]), got [5m] [target-rate-interval-rule]`,
  ),
  bad(
    FLEET,
    "rate(gleaner_store_rows_total",
    "sum(gleaner_store_rows_total",
    `126:19 panels[1].targets[0].expr: expected the counter gleaner_store_rows_total within rate() or increase() [target-counter-agg-rule]`,
  ),
  bad(
    FLEET,
    'kit=~\\"$kit\\"',
    'kit=\\"$kit\\"',
    `97:19 panels[0].targets[0].expr: expected kit=~: the variable can be several [promql-several-values]`,
  ),
  bad(
    FLEET,
    `in (\${kit:sqlstring})`,
    "= '$kit'",
    `154:21 panels[3].targets[0].rawSql: expected in (\${kit:sqlstring}): the variable can be several [sql-variable]`,
  ),
  bad(
    FLEET,
    `in (\${kit:sqlstring})`,
    `in ('\${kit:sqlstring}')`,
    `154:21 panels[3].targets[0].rawSql: expected no quotes around \${kit:sqlstring}: it brings its own [sql-variable]`,
  ),
  bad(
    FLEET,
    '"includeAll": true\n',
    '"includeAll": true, "allValue": ".+"\n',
    `154:21 panels[3].targets[0].rawSql: kit has an allValue, which arrives in SQL as it is: give SQL a variable without one [sql-variable]`,
  ),
  bad(
    FLEET,
    "$__timeGroupAlias(time,",
    "$__timeGroups(time,",
    `159:21 panels[3].targets[1].rawSql: Grafana has no SQL macro $__timeGroups() [sql-macro]`,
  ),
  bad(
    FLEET,
    "$__timeGroupAlias(time,",
    "$__timeGroupAlias(date(time),",
    `159:21 panels[3].targets[1].rawSql: expected no parentheses in the arguments of $__timeGroupAlias(): it ends at the first ) [sql-macro]`,
  ),
  bad(
    FLEET,
    "from drones where $__timeFilter(time) group by 1",
    "from drones group by 1",
    `159:21 panels[3].targets[1].rawSql: expected $__timeFilter(time) or another bound on time [sql-time-bound]`,
  ),
  // Data sources and providers
  bad(
    SOURCES,
    "uid: timescaledb",
    "uid: prometheus",
    `11:10 datasources[1].uid: expected a uid of its own, this one is taken by provisioning/grafana/datasources/all.yaml: Prometheus [datasource]`,
  ),
  bad(
    SOURCES,
    "    uid: timescaledb\n",
    "",
    `10:5 datasources[1].uid: missing, expected text: without it Grafana makes one up, and no panel can name it`,
  ),
  bad(
    SOURCES,
    "name: TimescaleDB",
    "name: Prometheus",
    `10:11 datasources[1].name: expected a name of its own, this one is taken by provisioning/grafana/datasources/all.yaml: Prometheus [datasource]`,
  ),
  bad(
    SOURCES,
    "    user: grafana_reader\n",
    "    user: grafana_reader\n    database: gleaner\n",
    `16:15 datasources[1].database: expected it under jsonData: Grafana 9.4 and 12 lose it here`,
  ),
  bad(
    SOURCES,
    "      database: gleaner\n",
    "",
    `17:7 datasources[1].jsonData.database: missing, expected the name of the database`,
  ),
  bad(SOURCES, "sslmode", "sslMode", `18:7 datasources[1].jsonData.sslMode: unknown key, did you mean "sslmode"?`),
  bad(
    SOURCES,
    "$__file{/run/secrets/grafana}",
    "hunter2",
    `20:17 datasources[1].secureJsonData.password: expected $__file{…}, $__env{…} or \${NAME}: a secret is not written down here [datasource]`,
  ),
  bad(
    SOURCES,
    "user: grafana_reader",
    "user: gra$fana",
    `15:11 datasources[1].user: Grafana expands this dollar sign: expected $$ for the sign, \${NAME} for a variable [interpolation]`,
  ),
  bad(SOURCES, "access: proxy", "access: @proxy", `6:13: text that begins with this character must be in quotes`),
  bad(PROVIDER, "    type: file", "    type: files", `4:11 providers[0].type: expected file`),
  bad(PROVIDER, "folder:", "foldr:", `5:5 providers[0].foldr: unknown key, did you mean "folder"?`),
  bad(
    PROVIDER,
    "path: /var/lib/grafana/dashboards",
    "path: $HOME/dashboards",
    `7:13 providers[0].options.path: Grafana expands this dollar sign: expected $$ for the sign, \${NAME} for a variable [interpolation]`,
  ),
  bad(
    PROVIDER,
    "/dashboards",
    "/dashboards\n      foldersFromFilesStructure: true",
    `5:13 providers[0].folder: expected no folder where foldersFromFilesStructure is true`,
  ),
  // Grafana's alerting
  bad(
    ALERTING,
    "noDataState: Alerting",
    "noDataState: alerting",
    `19:22 groups[0].rules[0].noDataState: expected one of NoData, Alerting, OK, KeepLast`,
  ),
  bad(
    ALERTING,
    "        for: 2m",
    "        for: 2 minutes",
    `18:14 groups[0].rules[0].for: expected a duration such as 30s or 1h30m`,
  ),
  bad(
    ALERTING,
    "        for: 2m",
    "        for: 2m\n        keep_firing_for: 2m",
    `19:9 groups[0].rules[0].keep_firing_for: unknown key, did you mean "keepFiringFor"?`,
  ),
  bad(
    ALERTING,
    "interval: 30s",
    "interval: 15s",
    `5:15 groups[0].interval: expected a multiple of 10s, as Grafana evaluates [alert-interval]`,
  ),
  bad(ALERTING, "condition: C", "condition: B", `9:20 groups[0].rules[0].condition: there is no refId B [alert-query]`),
  bad(
    ALERTING,
    "expression: A",
    "expression: B",
    `17:61 groups[0].rules[0].data[1].model.expression: there is no refId B [alert-query]`,
  ),
  bad(
    ALERTING,
    "model: { refId: A,",
    "model: { refId: B,",
    `14:29 groups[0].rules[0].data[0].model.refId: expected A here too [alert-query]`,
  ),
  bad(
    ALERTING,
    "datasourceUid: prometheus",
    "datasourceUid: prometeus",
    `13:28 groups[0].rules[0].data[0].datasourceUid: no such data source is provisioned, did you mean "prometheus"? [alert-query]`,
  ),
  bad(
    ALERTING,
    `(gleaner_kit_state{state="offline"})'`,
    `(gleaner_kit_state{state="offline"}) == 1'`,
    `14:38 groups[0].rules[0].data[0].model.expr: expected no comparison here but in a threshold: no result is no data [alert-query]`,
  ),
  bad(
    ALERTING,
    ", instant: true",
    "",
    `14:20 groups[0].rules[0].data[0].model: expected instant: true, or range: true before a reduce node [alert-query]`,
  ),
  bad(
    ALERTING,
    "{ severity: critical }",
    "{ severity: high }",
    `20:9 groups[0].rules[0].labels: expected the label severity: info, warning, error, critical [alert-told]`,
  ),
  bad(
    ALERTING,
    "          description: It does not answer.\n",
    "",
    `21:9 groups[0].rules[0].annotations: expected the annotation description [alert-told]`,
  ),
  bad(
    ALERTING,
    "#kit-offline",
    "#kit-off",
    `24:24 groups[0].rules[0].annotations.runbook_url: docs/runbooks.md has nothing called #kit-off [alert-told]`,
  ),
  bad(
    ALERTING,
    "dashboardUid: fleet",
    "dashboardUid: flete",
    `25:23 groups[0].rules[0].dashboardUid: there is no dashboard with this uid, did you mean "fleet"? [alert-panel]`,
  ),
  bad(
    ALERTING,
    "panelId: 1",
    "panelId: 9",
    `26:18 groups[0].rules[0].panelId: the dashboard fleet has no such panel [alert-panel]`,
  ),
  bad(
    ALERTING,
    "        panelId: 1\n",
    "",
    `7:9 groups[0].rules[0]: expected both dashboardUid and panelId, or neither [alert-panel]`,
  ),
  bad(
    ALERTING,
    "{ severity: critical }",
    '{ severity: critical, kit: "{{ $labels.kit }}" }',
    `20:44 groups[0].rules[0].labels.kit: Grafana expands this dollar sign: expected $$ for the sign, \${NAME} for a variable [interpolation]`,
  ),
  bad(
    ALERTING,
    '"{{ $labels.kit }} is',
    '"{{ $$labels.kit }} is',
    `22:20 groups[0].rules[0].annotations.summary: expected one dollar sign: annotations are not expanded [interpolation]`,
  ),
  bad(
    ALERTING,
    "notification_settings: { receiver: gleaner }",
    "notification_settings: { receiver: gleanr }",
    `27:44 groups[0].rules[0].notification_settings.receiver: there is no such contact point, did you mean "gleaner"? [alert-route]`,
  ),
  bad(
    ALERTING,
    "      - receiver: gleaner\n",
    "      - receiver: nobody\n",
    `40:19 policies[0].routes[0].receiver: there is no such contact point; known here: gleaner [alert-route]`,
  ),
  bad(
    ALERTING,
    "mute_time_intervals: [nights]",
    "mute_time_intervals: [night]",
    `42:31 policies[0].routes[0].mute_time_intervals[0]: there is no such mute timing, did you mean "nights"? [alert-route]`,
  ),
  bad(
    ALERTING,
    "group_by: [alertname]",
    "mute_time_intervals: [nights]",
    `38:26 policies[0].mute_time_intervals: expected none here: the root is never muted [alert-route]`,
  ),
  bad(
    ALERTING,
    'object_matchers: [[severity, "=", info]]',
    "object_matchers: [[severity, info]]",
    `41:27 policies[0].routes[0].object_matchers[0]: expected [label, operator, value]`,
  ),
  bad(
    ALERTING,
    "mute_time_intervals: [nights]\n",
    "mute_times: [nights]\n",
    `42:9 policies[0].routes[0].mute_times: unknown key`,
  ),
  bad(
    ALERTING,
    '"22:00"',
    '"25:00"',
    `46:31 muteTimes[0].time_intervals[0].times[0].start_time: expected a time such as 08:30`,
  ),
  bad(
    ALERTING,
    "muteTimes:\n",
    "muteTimes:\n  - { name: nights, time_intervals: [{ months: [may] }] }\n",
    `45:11 muteTimes[1].name: expected a name of its own, this one is taken by provisioning/grafana/alerting/kits.yaml [alert-unique]`,
  ),
  // Prometheus rules
  bad(
    RULES,
    "        for: 2m",
    "        keepFiringFor: 2m",
    `8:9 groups[0].rules[1].keepFiringFor: unknown key, did you mean "keep_firing_for"?`,
  ),
  bad(
    RULES,
    "name: kits\n",
    "name: kits\n    rules: []\n  - name: kits\n",
    `4:11 groups[1].name: expected a name of its own, this one is taken by provisioning/prometheus/kits.rules.yml [group-name]`,
  ),
  bad(
    RULES,
    "        for: 2m",
    "        for: soon",
    `8:14 groups[0].rules[1].for: expected a duration such as 30s or 1h30m`,
  ),
  bad(
    RULES,
    "          severity: critical",
    "          kit: x",
    `9:9 groups[0].rules[1].labels: expected the label severity: info, warning, error, critical [alert-told]`,
  ),
  bad(
    RULES,
    "#kit-offline",
    "#kit-of",
    `14:24 groups[0].rules[1].annotations.runbook_url: docs/runbooks.md has nothing called #kit-of [alert-told]`,
  ),
  bad(RULES, "kit:up:sum", "kit-up-sum", `4:17 groups[0].rules[0].record: expected the name of a metric`),
  bad(RULES, "    rules:", "    interval: 30\n    rules:", `3:15 groups[0].interval: expected text, got a number`),
];
