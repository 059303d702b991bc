/** The name of the contact point that reports to gleaner, here and in the policy. */
const HISTORY = "gleaner history";

/** Where Grafana reports alerts to. The token is a file: what it holds is in no configuration and on no screen. */
export const CONTACT_POINTS = {
  apiVersion: 1,
  contactPoints: [
    {
      orgId: 1,
      name: HISTORY,
      receivers: [
        {
          uid: "gleaner-history",
          type: "webhook",
          settings: {
            url: "http://gleaner:9470/api/alerts/webhook",
            httpMethod: "POST",
            authorization_scheme: "Bearer",
            authorization_credentials: "$__file{/run/secrets/gleaner_webhook_token}",
          },
          disableResolveMessage: false,
        },
      ],
    },
  ],
};

/** The whole tree: Grafana keeps one, and the file read last wins. */
export const POLICIES = {
  apiVersion: 1,
  policies: [
    {
      orgId: 1,
      receiver: HISTORY,
      group_by: ["grafana_folder", "alertname"],
      group_wait: "10s",
      group_interval: "1m",
      repeat_interval: "12h",
    },
  ],
};

/** An example: nothing refers to it until a policy names it under mute_time_intervals. */
export const MUTE_TIMES = {
  apiVersion: 1,
  muteTimes: [
    {
      orgId: 1,
      name: "gleaner maintenance (example)",
      time_intervals: [{ weekdays: ["sunday"], times: [{ start_time: "02:00", end_time: "04:00" }], location: "UTC" }],
    },
  ],
};

/** For contact points that people read: `{{ template "gleaner.message" . }}`. Without a dollar sign, which Grafana would take for a variable. */
export const TEMPLATES = {
  apiVersion: 1,
  templates: [
    {
      orgId: 1,
      name: "gleaner",
      template: `{{ define "gleaner.title" }}[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }}{{ if gt (len .Alerts) 1 }} ({{ len .Alerts }}){{ end }}{{ end }}
{{ define "gleaner.message" }}{{ range .Alerts }}{{ .Status | toUpper }} {{ .Labels.severity }}: {{ .Annotations.summary }}
{{ .Annotations.description }}
since {{ .StartsAt.UTC.Format "2006-01-02 15:04:05" }} UTC, {{ .Annotations.runbook_url }}
{{ end }}{{ end }}
`,
    },
  ],
};
