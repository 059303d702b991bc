import { createSocket } from "node:dgram";
import { promises as dns } from "node:dns";
import { untilAborted } from "./abort.ts";
import type { Place } from "./stream.ts";

/**
 * Sends one datagram and waits for the answer to it.
 * @param accept what a datagram that came from there says; undefined for one that is no answer to this question
 * @throws errors of sockets as Node has them: ECONNREFUSED when the host says that nobody listens; the signal's reason
 */
export async function askOverUdp<T>(
  { host, port }: Place,
  packet: Buffer,
  accept: (answer: Buffer) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  const { address, family } = await untilAborted(
    signal,
    () => undefined,
    () => dns.lookup(host),
  );
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  try {
    return await untilAborted(
      signal,
      () => undefined,
      () =>
        new Promise<T>((resolve, reject) => {
          socket.on("error", reject).on("message", (message) => {
            try {
              const answer = accept(message);
              if (answer !== undefined) resolve(answer);
            } catch (error) {
              reject(error);
            }
          });
          // Connected: the kernel passes on only what comes from there, and the refusal of a port where nobody listens.
          socket.connect(port, address, () => socket.send(packet));
        }),
    );
  } finally {
    socket.close();
  }
}
