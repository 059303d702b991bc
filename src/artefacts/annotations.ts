import type { Path } from "../config/problem.ts";
import type { Finding } from "./document.ts";

const ANNOTATIONS = ["summary", "description", "runbook_url"];
const SEVERITIES = ["info", "warning", "error", "critical"];

/** What the rules of both dialects tell people. */
export interface Told {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Headings of a runbook as GitHub's links name them; undefined where the folder has none. */
export type Runbook = ReadonlySet<string> | undefined;

/** The anchors of a Markdown file: those written as `<a id>`, and headings in lower case, without signs, spaces as hyphens. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, text = ""]) => text);
  const written = [...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id);
  const seen = new Map<string, number>();
  return new Set([
    ...written,
    ...headings.map((heading) => {
      const plain = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-");
      const before = seen.get(plain) ?? 0;
      seen.set(plain, before + 1);
      return before === 0 ? plain : `${plain}-${before}`;
    }),
  ]);
}

/** An alert that does not say what is wrong, how bad it is and what to do only wakes people up. */
export function untold({ labels = {}, annotations = {} }: Told, path: Path, runbook: Runbook): Finding[] {
  const missing = ANNOTATIONS.filter((name) => !annotations[name]?.trim()).map((name) => ({
    path: [...path, "annotations"],
    part: "key" as const,
    message: `expected the annotation ${name}`,
  }));
  const severity = labels["severity"];
  const anchor = /runbooks\.md#(.+)$/.exec(annotations["runbook_url"] ?? "")?.[1];
  return [
    ...missing,
    ...(severity !== undefined && SEVERITIES.includes(severity)
      ? []
      : [
          {
            path: [...path, "labels"],
            part: "key" as const,
            message: `expected the label severity: ${SEVERITIES.join(", ")}`,
          },
        ]),
    ...(anchor !== undefined && runbook && !runbook.has(anchor)
      ? [{ path: [...path, "annotations", "runbook_url"], message: `docs/runbooks.md has nothing called #${anchor}` }]
      : []),
  ];
}
