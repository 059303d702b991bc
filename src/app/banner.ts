import type { ConfiguredTarget } from "../model/target.ts";
import { isKit } from "./points.ts";

export interface BannerFacts {
  readonly version: string;
  readonly url: string;
  readonly storeLabel: string;
  readonly timescale: string | null;
  /** Files and variables the configuration came from. */
  readonly sources: readonly string[];
  readonly targets: readonly ConfiguredTarget[];
}

const plural = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** The one screen at start: what gleaner does, and where to look. */
export function banner(facts: BannerFacts): string {
  const kits = facts.targets.filter(isKit);
  const others = facts.targets.filter((target) => !isKit(target));
  const collecting = [
    ...(others.length > 0
      ? [
          others
            .map((target) => target.id)
            .slice(0, 8)
            .join(", ") + (others.length > 8 ? ", …" : ""),
        ]
      : []),
    ...(kits.length > 0 ? [plural(kits.length, "kit")] : []),
  ];
  const timescale = facts.timescale ? ` with TimescaleDB ${facts.timescale}` : "";
  const rows: [string, string][] = [
    ["collecting", collecting.join(" and ") || "nothing: every target is disabled"],
    ["keeping", `every row in ${facts.storeLabel}${timescale}`],
    ["serving", `${facts.url}          what it is doing now`],
    ["", `${facts.url}metrics   for Prometheus`],
    ["configured by", facts.sources.join(", ") || "defaults; see gleaner.example.yaml and kits.example.yaml"],
    ["stop", "Ctrl-C"],
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(14)}${text}`);
  return [`gleaner ${facts.version} (Node ${process.versions.node}, pid ${process.pid})`, "", ...lines, ""].join("\n");
}
