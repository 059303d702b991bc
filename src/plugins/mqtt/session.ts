import { randomUUID } from "node:crypto";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { MqttClient } from "mqtt";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { addressOf, connectionError } from "../client/errors.ts";
import { type PasswordConfig, readPassword, type TlsConfig, tlsOptions } from "../client/secrets.ts";

/** Which broker, and as whom. */
export interface Login extends PasswordConfig, TlsConfig {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly client_id?: string | undefined;
}

/** A message as it came. `retained`: kept by the broker from some time before the subscription. */
export type OnMessage = (topic: string, payload: Buffer, retained: boolean) => void;

/** A connection that stays open between collections, so that no message is missed. */
export interface Session {
  /** How long it took to open. */
  readonly connectSeconds: number;
  /** Topic filters that the broker did not grant. */
  readonly refused: readonly string[];
  isOpen(): boolean;
  /** Time (s) until the broker answered a ping. Rejects when it does not, and then the session is closed. */
  ping(signal: AbortSignal): Promise<number>;
  close(): void;
}

/** A packet that is larger ends the connection: values are short, and memory is not given to whoever sends. */
const MAX_PACKET = 1024 * 1024;
/** Retained messages come right after the subscription; that long after the last of them all are there (ms). */
const QUIET_MS = 100;
const SETTLE_MS = 2_000;

/** Reason codes of MQTT 3.1.1 (section 3.2.2.3) that a setting can mend. */
const REFUSALS: Readonly<Record<number, string>> = {
  2: "the broker does not take this client_id",
  4: "check user and password",
  5: "check user and password, and what the broker allows this client",
};

/**
 * Connects, subscribes, and waits for what the broker has retained.
 * @throws {CollectError} that says what to do about a broker that refuses; the signal's reason when it aborts
 */
export async function openSession(
  login: Login,
  filters: readonly string[],
  onMessage: OnMessage,
  signal: AbortSignal,
): Promise<Session> {
  const { host, port } = login;
  signal.throwIfAborted();
  const [password, tls] = await Promise.all([readPassword(login), tlsOptions(login, host)]);
  // Loaded when it is needed: a host without MQTT does not pay for it.
  const { default: mqtt } = await import("mqtt");
  signal.throwIfAborted();
  const socket = tls ? connectTls({ host, port, ...tls }) : createConnection(port, host);
  const client = new mqtt.MqttClient(() => socket, {
    clientId: login.client_id ?? `gleaner-${randomUUID().slice(0, 13)}`,
    ...(login.user === undefined ? {} : { username: login.user }),
    ...(password === undefined ? {} : { password }),
    ...{ protocolVersion: 4, clean: true, reconnectPeriod: 0, keepalive: 60, resubscribe: false },
  });
  const close = () => {
    client.end(true);
    socket.destroy();
  };
  capPackets(socket, client, close);
  let last = performance.now();
  client
    .on("error", () => undefined)
    .on("message", (topic, payload, { retain }) => {
      last = performance.now();
      onMessage(topic, payload, retain);
    });
  const begun = performance.now();
  try {
    return await untilAborted(signal, close, async () => {
      await connected(client, socket);
      const connectSeconds = (performance.now() - begun) / 1000;
      const refused = await subscribe(client, filters);
      await ping(client);
      for (const end = performance.now() + SETTLE_MS; performance.now() < Math.min(end, last + QUIET_MS); )
        await sleep(QUIET_MS / 4);
      return {
        ...{ connectSeconds, refused, close, isOpen: () => client.connected && !socket.destroyed },
        ping: (signal) => untilAborted(signal, close, () => ping(client)),
      };
    });
  } catch (error) {
    close();
    throw signal.aborted ? signal.reason : explained(error, `MQTT broker at ${addressOf(host, port)}`);
  }
}

/** Counts bytes since the last whole packet. */
function capPackets(socket: Socket, client: MqttClient, close: () => void): void {
  let waiting = 0;
  socket.on("data", (chunk: Buffer) => {
    waiting += chunk.length;
    if (waiting > MAX_PACKET) close();
  });
  client.on("packetreceive", () => {
    waiting = 0;
  });
}

function connected(client: MqttClient, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
    socket.once("error", reject);
    client.once("close", () => reject(new CollectError("unreachable", "the broker closed the connection")));
  });
}

/** @returns filters that the broker refused */
async function subscribe(client: MqttClient, filters: readonly string[]): Promise<string[]> {
  if (filters.length === 0) return [];
  return new Promise((resolve, reject) => {
    client.once("close", () => reject(new CollectError("unreachable", "the broker closed the connection")));
    client.subscribe([...filters], { qos: 0 }, (error, _, packet) => {
      const granted = packet?.granted ?? [];
      // The library makes an error of a refusal; which filter it was is in the packet.
      if (granted.length !== filters.length)
        reject(error ?? new CollectError("bad_data", "no answer to a subscription"));
      else resolve(filters.filter((_filter, index) => Number(granted[index]) >= 0x80));
    });
  });
}

function ping(client: MqttClient): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      client.off("packetreceive", onPacket).off("close", onClose);
      settle();
    };
    const onPacket = ({ cmd }: { cmd: string }) => {
      if (cmd === "pingresp") done(() => resolve((performance.now() - begun) / 1000));
    };
    const onClose = () => done(() => reject(new CollectError("unreachable", "the broker closed the connection")));
    client.on("packetreceive", onPacket).on("close", onClose);
    client.sendPing();
  });
}

function explained(error: unknown, where: string): unknown {
  if (error instanceof CollectError)
    return new CollectError(error.kind, `${where}: ${error.message}`, { cause: error });
  const plain = connectionError(error, where);
  if (plain !== error || !(error instanceof Error)) return plain;
  const code = "code" in error ? Number(error.code) : Number.NaN;
  const advice = REFUSALS[code];
  return new CollectError("bad_data", `${where}: ${error.message}${advice ? `; ${advice}` : ""}`, { cause: error });
}
