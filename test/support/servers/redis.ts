import { connect } from "node:net";
import { type Service, startService } from "./service.ts";

/** A Redis that keeps nothing on disk. @param more further options */
export const startRedis = (...more: readonly string[]): Promise<Service> =>
  startService({
    program: "redis-server",
    args: ({ folder, port }) => ["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", "", ...more],
  });

/** A connection that speaks plainly, to look past what is tested. */
export function speakTo(port: number) {
  const socket = connect(port, "127.0.0.1");
  return {
    async ask(...words: readonly string[]): Promise<string> {
      const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("");
      socket.write(`*${words.length}\r\n${text}`);
      const [answer] = await new Promise<[Buffer]>((resolve) => socket.once("data", (data: Buffer) => resolve([data])));
      return String(answer).trim();
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
