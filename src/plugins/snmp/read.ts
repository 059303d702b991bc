import type { Sample } from "../../model/sample.ts";
import { numberOf, sample } from "../client/mapping.ts";
import { MAX_INTERFACES, MAX_VALUES, type Metric } from "./metrics.ts";
import type { Agent, Values } from "./session.ts";

type Samples = readonly Sample<Metric>[];

/** A number out of a variable: integers, 64 bit counters, and texts that hold one. */
export function numberIn(value: unknown): number | undefined {
  if (!Buffer.isBuffer(value)) return numberOf(value);
  return numberOf(value.toString("latin1")) ?? undefined;
}

/** A 64 bit counter comes as its bytes, without leading zeros. */
export const counterIn = (value: unknown): number | undefined =>
  Buffer.isBuffer(value)
    ? value.length <= 9
      ? Number(BigInt(`0x${value.toString("hex") || "0"}`))
      : undefined
    : numberIn(value);

const textIn = (value: unknown, length: number): string =>
  Buffer.isBuffer(value)
    ? value
        .toString("utf8")
        .replaceAll(/[^\P{C}]/gu, " ")
        .trim()
        .slice(0, length)
    : "";

const SYSTEM = { description: "1.3.6.1.2.1.1.1.0", uptime: "1.3.6.1.2.1.1.3.0", name: "1.3.6.1.2.1.1.5.0" };

/** Name, description and uptime (hundredths of a second) of the agent. */
export async function readSystem(agent: Agent): Promise<Samples> {
  const values = await agent.get(Object.values(SYSTEM));
  const ticks = numberIn(values.get(SYSTEM.uptime));
  const name = textIn(values.get(SYSTEM.name), 64);
  const description = textIn(values.get(SYSTEM.description), 128);
  return [
    ...(name || description ? [sample("snmp_info" as const, 1, { name, description })] : []),
    ...(ticks === undefined ? [] : [sample("snmp_uptime_seconds" as const, ticks / 100)]),
  ];
}

/** Columns of IF-MIB: ifTable, and ifXTable for what needs 64 bits; of two with the same metric the first that is there counts. */
const COLUMNS: readonly (readonly [string, Metric, number])[] = [
  ["1.3.6.1.2.1.31.1.1.1.15", "snmp_interface_speed_bytes", 1e6 / 8],
  ["1.3.6.1.2.1.2.2.1.5", "snmp_interface_speed_bytes", 1 / 8],
  ["1.3.6.1.2.1.31.1.1.1.6", "snmp_interface_receive_bytes_total", 1],
  ["1.3.6.1.2.1.2.2.1.10", "snmp_interface_receive_bytes_total", 1],
  ["1.3.6.1.2.1.31.1.1.1.10", "snmp_interface_transmit_bytes_total", 1],
  ["1.3.6.1.2.1.2.2.1.16", "snmp_interface_transmit_bytes_total", 1],
  ["1.3.6.1.2.1.2.2.1.14", "snmp_interface_receive_errors_total", 1],
  ["1.3.6.1.2.1.2.2.1.20", "snmp_interface_transmit_errors_total", 1],
  ["1.3.6.1.2.1.2.2.1.13", "snmp_interface_receive_drop_total", 1],
  ["1.3.6.1.2.1.2.2.1.19", "snmp_interface_transmit_drop_total", 1],
];
const NAMES = ["1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.2.2.1.2"];
const STATUS = "1.3.6.1.2.1.2.2.1.8";
/** ifOperStatus. */
const UP = 1;

const byIndex = (values: Values, column: string): ReadonlyMap<string, unknown> =>
  new Map([...values].map(([oid, value]) => [oid.slice(column.length + 1), value]));

/** Interfaces by their short names, or their descriptions where they have none; of two with one name the first is kept. */
export async function readInterfaces(agent: Agent): Promise<Samples> {
  const walk = async (column: string) => byIndex(await agent.walk(column, MAX_INTERFACES), column);
  const names = new Map<string, string>();
  for (const column of NAMES)
    for (const [index, value] of await walk(column)) {
      const name = textIn(value, 64);
      if (name && !names.has(index) && ![...names.values()].includes(name)) names.set(index, name);
    }
  const samples = new Map<string, Sample<Metric>>();
  for (const [column, metric, scale] of COLUMNS)
    for (const [index, value] of await walk(column)) {
      const [name, number] = [names.get(index), counterIn(value)];
      const key = `${metric} ${index}`;
      if (name !== undefined && number !== undefined && !samples.has(key))
        samples.set(key, sample(metric, number * scale, { interface: name }));
    }
  const up = [...(await walk(STATUS))].flatMap(([index, value]) => {
    const name = names.get(index);
    return name === undefined ? [] : [sample("snmp_interface_up" as const, Number(value === UP), { interface: name })];
  });
  return [...up, ...samples.values()];
}

/** A value or column of the configuration. */
export interface Wanted {
  readonly name: string;
  readonly oid: string;
  readonly kind: "gauge" | "counter";
  readonly walk: boolean;
  readonly scale: number;
}

/** Configured values; what the agent has not, or is no number, is left out and told. */
export async function readWanted(agent: Agent, wanted: readonly Wanted[]) {
  const single = await agent.get(wanted.filter(({ walk }) => !walk).map(({ oid }) => oid));
  const samples: Sample<Metric>[] = [];
  const missing: string[] = [];
  for (const { name, oid, kind, walk, scale } of wanted) {
    const values = walk ? byIndex(await agent.walk(oid, MAX_VALUES), oid) : new Map([["", single.get(oid)]]);
    const metric = kind === "gauge" ? "snmp_value" : "snmp_counted_total";
    const found = [...values].flatMap(([index, value]) => {
      const number = kind === "gauge" ? numberIn(value) : counterIn(value);
      return number === undefined ? [] : [sample(metric, number * scale, { name, index })];
    });
    if (found.length === 0) missing.push(name);
    samples.push(...found);
  }
  return { samples: samples.slice(0, MAX_VALUES), missing };
}
