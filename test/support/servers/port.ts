import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that the system gives out by itself (from 32,768 on, as Linux comes): nobody else gets one in between. */
const [FIRST, COUNT] = [10_000, 20_000];

/** The first of so many ports in a row that are likely free, somewhere among those that nobody gets by asking for any. */
export const somePorts = (count = 1): number => FIRST + Math.floor(Math.random() * (COUNT - count));

/** A port of the loopback that nobody listens on now; for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = somePorts();
    const server = createServer();
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
