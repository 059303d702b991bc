import { connect } from "node:net";

/** Everything one connection brought, as it came over the wire. */
export interface RawAnswer {
  readonly statusLine: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** How the connection ended: by the server, by an error, or by us after `patience` or `enough` bytes. */
  readonly end: "closed" | "error" | "gave up";
  readonly code?: string | undefined;
}

/** When the client leaves, and what it asks. */
export interface RawOptions {
  readonly method?: string;
  /** Milliseconds after which it closes whatever is missing. */
  readonly patience?: number;
  /** Milliseconds after its first bytes at which it closes. */
  readonly linger?: number;
  /** Bytes after which it closes. */
  readonly enough?: number;
}

/** One request over a plain socket: no HTTP library that could repair anything. */
export function rawGet(url: string, path: string, options: RawOptions = {}): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    let size = 0;
    let end: RawAnswer["end"] = "closed";
    let code: string | undefined;
    const leave = () => {
      end = "gave up";
      socket.destroy();
    };
    let timer = options.patience === undefined ? undefined : setTimeout(leave, options.patience);
    socket.write(`${options.method ?? "GET"} ${path} HTTP/1.1\r\nHost: kit\r\nConnection: keep-alive\r\n\r\n`);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      if (size === 0 && options.linger !== undefined) timer = setTimeout(leave, options.linger);
      size += chunk.length;
      if (options.enough !== undefined && size >= options.enough) leave();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      end = "error";
      code = error.code;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ ...parse(Buffer.concat(chunks)), end, code });
    });
  });
}

/** The body as text, one character a byte. */
export async function rawText(url: string, path: string): Promise<string> {
  return (await rawGet(url, path)).body.toString("latin1");
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of known shape
export async function rawJson(url: string, path: string): Promise<any> {
  return JSON.parse(await rawText(url, path));
}

function parse(bytes: Buffer): Pick<RawAnswer, "statusLine" | "headers" | "body"> {
  const blank = bytes.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = bytes.subarray(0, Math.max(blank, 0)).toString("latin1").split("\r\n");
  const headers = lines.map((line) => line.split(": ", 2) as [string, string]);
  return { statusLine, headers, body: blank < 0 ? Buffer.alloc(0) : bytes.subarray(blank + 4) };
}
