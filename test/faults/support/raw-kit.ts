import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openPort, type Port } from "../../../src/demo/kit-server.ts";
import { parseRequest } from "../../../src/demo/wire.ts";

/** Writes what this kit has to say to a request, byte by byte as it likes. `n` counts its requests from 0. */
export type Speak = (socket: Socket, path: string, n: number) => void;

/** A kit that says exactly the bytes a test gives it. */
export interface RawKit extends AsyncDisposable {
  readonly id: string;
  readonly url: string;
  /** Every request: when (epoch ms) and for what. */
  readonly asked: readonly { readonly at: number; readonly path: string }[];
  /** Connections that are open now, and the most there were at once. */
  sockets(): { readonly open: number; readonly most: number };
  readonly port: Pick<Port, "open" | "shut">;
}

/** Opens a kit on a free port of 127.0.0.1. */
export async function rawKit(id: string, speak: Speak): Promise<RawKit> {
  const asked: { at: number; path: string }[] = [];
  const count = { open: 0, most: 0 };
  const port = await openPort("127.0.0.1", 0, (socket) => {
    count.open++;
    count.most = Math.max(count.most, count.open);
    let request = "";
    socket.on("error", () => undefined).on("close", () => count.open--);
    socket.on("end", () => socket.end());
    socket.setEncoding("latin1").on("data", (text: string) => {
      request += text;
      const parsed = parseRequest(request);
      if (!parsed) return;
      request = "";
      asked.push({ at: Date.now(), path: parsed.path });
      speak(socket, parsed.path, asked.length - 1);
    });
  });
  return {
    ...{ id, asked, port, url: `http://127.0.0.1:${port.port}` },
    sockets: () => ({ ...count }),
    [Symbol.asyncDispose]: () => port.close(),
  };
}

/** Opens several, one for each entry: id and what it says. */
export async function rawKits(
  speakers: Readonly<Record<string, Speak>>,
): Promise<AsyncDisposable & { list: readonly RawKit[]; get(id: string): RawKit }> {
  const list = await Promise.all(Object.entries(speakers).map(([id, speak]) => rawKit(id, speak)));
  return {
    list,
    get(id) {
      const found = list.find((kit) => kit.id === id);
      if (!found) throw new RangeError(`no kit ${id}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(list.map((kit) => kit[Symbol.asyncDispose]()));
    },
  };
}

/** Status line and headers, blank line included. */
export const head = (headers: readonly string[] = [], status = "HTTP/1.0 200 OK"): string =>
  [status, ...headers, "", ""].join("\r\n");

/** A whole answer with its right length. */
export function say(socket: Socket, body: string | Buffer, headers: readonly string[] = [], status?: string): void {
  socket.write(head([`Content-Length: ${Buffer.byteLength(body)}`, ...headers], status), "latin1");
  socket.end(body);
}

export type Entry = Readonly<Record<string, unknown>>;

/** A track as kits list it, with what the test is about. */
export const track = (id: string, fields: Entry = {}): Entry => ({
  ...{ id, track_type: "drone", lat: 50.1, lon: 8.6, alt: 100, last_update_time: Date.now() / 1_000 },
  ...fields,
});

/** What a kit in order says: lists, and a status under its own name. A text stands for itself. */
export function wellBehaved(says: {
  readonly drones?: (n: number) => readonly unknown[] | string | Buffer;
  readonly uid?: () => string;
}): Speak {
  const { drones = () => [], uid = () => "wardragon-RAW" } = says;
  return (socket, path, n) => {
    const listed = path.startsWith("/drones") ? drones(n) : undefined;
    if (typeof listed === "string" || Buffer.isBuffer(listed)) say(socket, listed);
    else if (listed) say(socket, JSON.stringify({ drones: listed }));
    else if (path.startsWith("/signals")) say(socket, '{"signals": []}');
    else if (path.startsWith("/status"))
      say(socket, JSON.stringify({ uid: uid(), last_update_time: Date.now() / 1e3 }));
    else socket.end(head([], "HTTP/1.0 404 Not Found"));
  };
}

const LISTEN = `const s = require("node:net").createServer().listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => console.log(s.address().port))`;
/** More than the queue of a listener with a backlog of one holds. */
const FILLERS = 8;

/**
 * An address that swallows connection attempts without a word, as behind a firewall that drops: a listener that was
 * stopped, with its queue full.
 */
export async function blackHole(): Promise<{ readonly url: string } & AsyncDisposable> {
  const child: ChildProcess = spawn(process.execPath, ["-e", LISTEN], { stdio: ["ignore", "pipe", "inherit"] });
  if (!child.stdout) throw new Error("the listener's port is not read");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: FILLERS }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await sleep(100);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      const gone = once(child, "close");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
