import { atMost, type Bar, type BenchOptions, type Line, line, median } from "./support/bench.ts";
import { type Manner, ROWS, startOrigins } from "./support/origins.ts";
import { POLLERS, type PollerName, type Round, startPoller } from "./support/pollers.ts";

/** Polls until everything is compiled that will be. */
const WARM_POLLS = 10_000;

const AGAINST = { fetch: "global fetch + zod", agent: "undici Agent + zod" } as const;
/** Against whom the bars are set: on kept connections the usual client, on closed ones the better one. */
const BARS: Readonly<Record<Manner, Partial<Record<keyof typeof AGAINST, number>>>> = {
  "keep-alive": { fetch: 0.5 },
  close: { agent: 0.6 },
};

/** Rounds over all origins by each poller in turn, so that a machine that slows down slows all of them. */
async function rounds(count: number, manner: Manner, repetitions: number): Promise<Record<PollerName, Round[]>> {
  await using parts = new AsyncDisposableStack();
  const { urls } = parts.use(await startOrigins(count, manner));
  const pollers = await Promise.all(POLLERS.map(async (name) => parts.use(await startPoller(name, urls, ROWS))));
  const taken: Record<PollerName, Round[]> = { gleaner: [], fetch: [], agent: [] };
  const warmup = Math.ceil(WARM_POLLS / count);
  for (let i = 0; i < warmup + repetitions; i++)
    for (const [n, name] of POLLERS.entries()) {
      const round = await pollers[n]?.round();
      if (round && i >= warmup) taken[name].push(round);
    }
  return taken;
}

const middle = (taken: readonly Round[], what: keyof Round) => median(taken.map((round) => round[what]));

async function compare(count: number, manner: Manner, repetitions: number): Promise<Line[]> {
  const taken = await rounds(count, manner, repetitions);
  const title = `${count} origins, ${manner === "close" ? "HTTP/1.0, each closed" : "connections kept"}`;
  const beside = (name: keyof typeof AGAINST, what: keyof Round, parts: { what: string; unit: string; bar?: Bar }) =>
    line({
      ...{ bench: "poll", against: AGAINST[name], ...parts, what: `${parts.what}, ${title}` },
      ...{ ours: middle(taken.gleaner, what), theirs: middle(taken[name], what) },
    });
  const cpu = (name: keyof typeof AGAINST) => {
    const bar = BARS[manner][name];
    return beside(name, "cpu", { what: "CPU a poll", unit: "µs", ...(bar ? { bar: atMost(bar) } : {}) });
  };
  return [
    ...[cpu("fetch"), cpu("agent")],
    beside("agent", "rssMb", { what: "RSS", unit: "MB" }),
    beside("agent", "files", { what: "open files", unit: "files" }),
  ];
}

/**
 * Fetching, parsing, validating and mapping what a kit lists (20 drones, 22.6 KB, and 5 signals): CPU for each poll of
 * both lists, over kept connections and over HTTP/1.0 that closes each.
 */
export async function run({ quick }: BenchOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const count of quick ? [500] : [1_000, 5_000])
    for (const manner of ["keep-alive", "close"] as const) lines.push(...(await compare(count, manner, quick ? 3 : 7)));
  return lines;
}
