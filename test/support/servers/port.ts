import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that the system gives out by itself (from 32,768 on, as Linux comes): nobody else gets one in between. */
const [FIRST, COUNT] = [10_000, 20_000];

/** A port of the loopback that nobody listens on now; for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
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
