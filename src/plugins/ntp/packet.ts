import { CollectError } from "../../model/run.ts";
import type { Sample } from "../../model/sample.ts";
import type { Metric } from "./metrics.ts";

const BYTES = 48;
/** Seconds from 1900, where NTP begins to count, to 1970 (RFC 5905, figure 4). */
const EPOCH = 2_208_988_800;
/** 32 bits of seconds last until 2036; then they begin anew, which is era 1. */
const ERA = 2 ** 32;
/** First byte of a question: no leap second, version 4, mode client. */
const CLIENT = 0b00_100_011;
/** Why a server refuses, by the codes it puts in place of its source (RFC 5905, 7.4). */
const KISS: Readonly<Record<string, string>> = {
  RATE: "it is asked too often (RATE)",
  DENY: "it does not serve this host (DENY)",
  RSTR: "it does not serve this host (RSTR)",
  NTSN: "it wants authenticated questions (NTSN)",
};
const LEAPS = ["none", "insert", "delete", "unknown"] as const;

/** A question, with a number in place of the time that the answer must bring back (RFC 9109 does not let it be the time). */
export function question(cookie: Buffer): Buffer {
  const packet = Buffer.alloc(BYTES);
  packet.writeUInt8(CLIENT, 0);
  cookie.copy(packet, 40, 0, 8);
  return packet;
}

/** Unix seconds of a 64 bit timestamp, in the era that lies nearest to `near`. */
function timestamp(packet: Buffer, at: number, near: number): number {
  const told = packet.readUInt32BE(at) + packet.readUInt32BE(at + 4) / ERA - EPOCH;
  return told + Math.round((near - told) / ERA) * ERA;
}

const short = (packet: Buffer, at: number): number => packet.readUInt32BE(at) / 65_536;

/** When the question left and the answer came, in unix seconds of the clock here. */
export interface Times {
  readonly sent: number;
  readonly received: number;
}

/**
 * Reads an answer. Undefined for what answers another question.
 * @throws {CollectError} unreachable when the server says that it will not serve us
 */
export function readAnswer(
  packet: Buffer,
  cookie: Buffer,
  { sent, received }: Times,
): readonly Sample<Metric>[] | undefined {
  if (
    packet.length < BYTES ||
    (packet.readUInt8(0) & 0b111) !== 4 ||
    !packet.subarray(24, 32).equals(cookie.subarray(0, 8))
  )
    return undefined;
  const refused = packet.readUInt8(1) === 0 ? KISS[packet.toString("latin1", 12, 16)] : undefined;
  if (refused !== undefined) throw new CollectError("unreachable", `the time server refuses: ${refused}`);
  // A server that does not know the time says 16, or 0 without a reason to refuse.
  const stratum = packet.readUInt8(1) || 16;
  const leap = packet.readUInt8(0) >> 6;
  const [arrived, left] = [timestamp(packet, 32, received), timestamp(packet, 40, received)];
  const offset = (arrived - sent + (left - received)) / 2;
  const isSynchronized = leap !== 3 && stratum < 16;
  const set = packet.readUInt32BE(16) === 0 ? undefined : timestamp(packet, 16, received);
  return [
    { metric: "ntp_offset_seconds", value: offset },
    { metric: "ntp_absolute_offset_seconds", value: Math.abs(offset) },
    { metric: "ntp_round_trip_seconds", value: Math.max(0, received - sent - (left - arrived)) },
    { metric: "ntp_stratum", value: stratum },
    { metric: "ntp_root_delay_seconds", value: short(packet, 4) },
    { metric: "ntp_root_dispersion_seconds", value: short(packet, 8) },
    { metric: "ntp_precision_seconds", value: 2 ** packet.readInt8(3) },
    ...(set === undefined ? [] : [{ metric: "ntp_reference_timestamp_seconds" as const, value: set }]),
    ...LEAPS.map((state, index) => ({ metric: "ntp_leap" as const, value: Number(index === leap), labels: { state } })),
    { metric: "ntp_synchronized", value: Number(isSynchronized) },
  ];
}
