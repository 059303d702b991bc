import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = { ".json": "application/json", ".txt": "text/plain" };

/** The document recorded for a path: the file of that name, or with an extension; undefined where none was recorded. */
async function recorded(folder: string, path: string): Promise<{ type: string; body: Buffer } | undefined> {
  for (const file of [path, `${path}.json`, `${path}.txt`]) {
    const body = await readFile(join(folder, file)).catch(() => undefined);
    if (body) return { type: TYPES[extname(file)] ?? "application/octet-stream", body };
  }
  return undefined;
}

/**
 * Serves the files of a folder on a free port of the loopback. `<path>.status` holds the status of that path's answer;
 * a path with neither a document nor a status is 404.
 */
export async function serveRecorded(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://recorded").pathname.replace(/^\/$/, "/index");
    const status = await readFile(join(folder, `${path}.status`), "utf8").catch(() => undefined);
    const document = await recorded(folder, path);
    response.writeHead(Number(status?.trim() ?? (document ? 200 : 404)), {
      "content-type": document?.type ?? "text/plain",
      connection: "close",
    });
    response.end(document?.body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
