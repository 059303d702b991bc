/** What `ping` printed, read. */
export interface Pinged {
  readonly sent: number;
  /** Round-trip times of the replies in their order, in seconds. */
  readonly times: readonly number[];
  /** Time to live of the last reply. */
  readonly ttl?: number;
  /** A router said that the host cannot be reached. */
  readonly isUnreachable: boolean;
}

const REPLY = /^\d+ bytes from .*?\bttl=(\d+) time[=<]([\d.]+) ms(?<duplicate>.*\(DUP!\))?/;
const SUMMARY = /^(\d+) packets transmitted, \d+ (?:packets )?received/m;

/** Reads the output of iputils' ping, busybox' and that of BSD systems; undefined when there is no summary in it. */
export function parsePing(output: string): Pinged | undefined {
  const sent = SUMMARY.exec(output)?.[1];
  if (sent === undefined) return undefined;
  const replies = output.split("\n").flatMap((line) => {
    const match = REPLY.exec(line);
    return match && !match.groups?.["duplicate"] ? [{ ttl: Number(match[1]), time: Number(match[2]) / 1000 }] : [];
  });
  const ttl = replies.at(-1)?.ttl;
  return {
    sent: Number(sent),
    times: replies.map(({ time }) => time),
    ...(ttl === undefined ? {} : { ttl }),
    isUnreachable: /^From .* (?:Unreachable|Time to live exceeded|prohibited)/im.test(output),
  };
}

/** Statistics of round trips, in seconds. */
export interface Statistics {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly stddev: number;
  /** Mean difference of one round trip to the next; absent when there was but one. */
  readonly jitter?: number;
}

/** Statistics of round-trip times; undefined when there are none. */
export function statisticsOf(times: readonly number[]): Statistics | undefined {
  if (times.length === 0) return undefined;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length;
  const steps = times.slice(1).map((time, i) => Math.abs(time - (times[i] ?? time)));
  return {
    ...{ min: Math.min(...times), mean, max: Math.max(...times), stddev: Math.sqrt(variance) },
    ...(steps.length === 0 ? {} : { jitter: steps.reduce((sum, step) => sum + step, 0) / steps.length }),
  };
}
