import type { Scraped, ServerName } from "./subjects/scrape.ts";
import { alone } from "./support/alone.ts";
import { atMost, type BenchOptions, figure, type Line, line, median } from "./support/bench.ts";

const SUBJECTS = import.meta.resolve("./subjects/scrape.ts");
const SERIES = 100_000;
const AGAINST = "prom-client + express + compression";

/** Servers in turn, each in a process of its own with its scrapers in another; medians, and the worst count of renders. */
async function served(scrapers: number, quick: boolean): Promise<Record<ServerName, Scraped>> {
  const options = { n: SERIES, scrapers, rounds: quick ? 3 : 7 };
  const taken: Record<ServerName, Scraped[]> = { ours: [], promClient: [] };
  for (let repetition = 0; repetition < (quick ? 1 : 3); repetition++)
    for (const name of ["ours", "promClient"] as const)
      taken[name].push(await alone<Scraped>(SUBJECTS, "serve", name, options));
  const of = (all: readonly Scraped[]): Scraped => ({
    ms: median(all.map(({ ms }) => ms)),
    cpu: median(all.map(({ cpu }) => cpu)),
    renders: Math.max(...all.map(({ renders }) => renders)),
  });
  return { ours: of(taken.ours), promClient: of(taken.promClient) };
}

/** 100,000 series over HTTP with gzip at level 1, to one scraper and to ten at once. */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const scrapers of [1, 10]) {
    const { ours, promClient } = await served(scrapers, quick);
    const who = `${scrapers} ${scrapers === 1 ? "scraper" : "scrapers at once"}, ${SERIES} series`;
    const compared = { bench: "scrape", unit: "ms", against: AGAINST };
    const wall = line({ ...compared, what: `wall, ${who}`, ours: ours.ms, theirs: promClient.ms, bar: atMost(0.35) });
    lines.push(
      wall,
      line({ ...compared, what: `CPU of the server, ${who}`, ours: ours.cpu, theirs: promClient.cpu }),
      figure({
        ...{ bench: "scrape", what: `expositions made for ${who}`, unit: "" },
        ...{ ours: ours.renders, bar: atMost(1, "figure") },
      }),
    );
  }
  return lines;
}
