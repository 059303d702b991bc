import type { Socket } from "node:net";
import { deliver } from "./deliver.ts";
import { kitClock } from "./distort.ts";
import { answerTo, type Kit, type Row } from "./kit.ts";
import { routeOf } from "./routes.ts";
import { parseRequest, RATE_LIMITED, unsupported } from "./wire.ts";

/** What happened at one kit since it was started. */
export interface KitStats {
  /** Requests whose headers were complete. */
  requests: number;
  /** Answers that the client received whole, as far as TCP tells. */
  completed: number;
  /** Answers that did not arrive whole, by the client's doing or by a fault, and connections without a request. */
  aborted: number;
  /** Rows offered: each observation once. */
  rows: number;
}

/** What a connection needs besides the kit. */
export interface ConnectionContext {
  readonly kit: Kit;
  readonly stats: KitStats;
  readonly now: () => number;
  /** Whether this client may have another answer. */
  readonly allows: (client: string) => boolean;
  /** Called once for each row, when the first answer with it was completely sent. */
  readonly offered: (row: Row) => void;
}

/** A request line and headers longer than this are not read on. */
const MAX_REQUEST = 65_536;
/** How long a client may keep its side open after it got its answer (ms). */
const LINGER = 5_000;

/** Serves one request, as kits do, and closes. The server must allow half-open connections. */
export function serveConnection(socket: Socket, context: ConnectionContext): void {
  let request = "";
  let rows: readonly Row[] | undefined;
  let answered = false;
  let left = false;
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    if (answered) return;
    request += text;
    const parsed = parseRequest(request);
    if (parsed) {
      answered = true;
      rows = respond(socket, context, parsed.method, parsed.path);
    } else if (request.length > MAX_REQUEST) socket.destroy();
  });
  socket.on("end", () => {
    // A client that closes before everything went out has given up: nothing was offered to it.
    left = !(socket.writableEnded && socket.writableLength === 0);
    if (left) socket.destroy();
  });
  socket.on("finish", () => socket.setTimeout(LINGER, () => socket.destroy()));
  // The close event that follows tells that there was an error; which one does not matter.
  socket.on("error", () => undefined);
  socket.on("close", (failed) => {
    const whole = answered && !left && !failed && socket.writableFinished;
    if (whole && rows) finish(context, rows);
    else context.stats.aborted++;
  });
}

/** Answers, and returns the rows that are offered by it if it arrives; undefined when it cannot arrive whole. */
function respond(socket: Socket, context: ConnectionContext, method: string, path: string) {
  const { kit, stats } = context;
  const now = context.now();
  stats.requests++;
  const served =
    method !== "GET"
      ? { answer: unsupported(method), rows: [] }
      : context.allows(socket.remoteAddress ?? "")
        ? answerTo(kit, routeOf(path), path, now)
        : { answer: RATE_LIMITED, rows: [] };
  return deliver(socket, served.answer, kit.fault, kitClock(kit.fault.mode, now)) ? served.rows : undefined;
}

function finish(context: ConnectionContext, rows: readonly Row[]): void {
  context.stats.completed++;
  for (const row of rows) {
    if (row.offered) continue;
    row.offered = true;
    context.stats.rows++;
    context.offered(row);
  }
}
