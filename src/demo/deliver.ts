import type { Socket } from "node:net";
import type { Fault, FaultMode } from "./faults.ts";
import { type Answer, head } from "./wire.ts";

/** Sends an answer in one way or another; `value` is the fault's number. */
type Delivery = (socket: Socket, head: string, body: string | Buffer, value: number | undefined) => void;

const SLOW = 2_000;
const DRIP = 900;
const BLOCK = 65_536;

/** Faults in how an answer is sent. None of them changes what it says. */
const DELIVERIES: Partial<Record<FaultMode, Delivery>> = {
  slow: (socket, start, body, value = SLOW) => {
    const timer = setTimeout(() => whole(socket, start, body), value);
    socket.once("close", () => clearTimeout(timer));
  },
  drip: (socket, start, body, value = DRIP) => drip(socket, start, body, value),
  hung: () => undefined,
  hung_body: (socket, start) => socket.write(start, "latin1"),
  truncated: (socket, start, body) => whole(socket, start, body.slice(0, body.length / 2)),
  reset: (socket, start, body) => {
    socket.write(start, "latin1");
    // In the callback: what was not handed to the system is thrown away by a reset.
    socket.write(body.slice(0, body.length / 2), () => socket.resetAndDestroy());
  },
  huge: (socket, start) => endless(socket, start),
};

/** Faults under which nobody can receive a whole answer. */
const NEVER_WHOLE: ReadonlySet<FaultMode> = new Set(["hung", "hung_body", "truncated", "reset", "huge"]);

/** Sends an answer given at `now` (ms of the kit's clock); returns whether its rows are offered when it arrives without an error. */
export function deliver(socket: Socket, answer: Answer, fault: Fault, now: number): boolean {
  const send = DELIVERIES[fault.mode] ?? whole;
  send(socket, head(answer, now), answer.body, fault.value);
  return !NEVER_WHOLE.has(fault.mode);
}

function whole(socket: Socket, start: string, body: string | Buffer): void {
  // One write where it can be: an answer is mostly one packet, and a system call less for each of thousands.
  if (typeof body === "string") socket.end(start + body, "latin1");
  else {
    socket.write(start, "latin1");
    socket.end(body);
  }
}

function drip(socket: Socket, start: string, body: string | Buffer, every: number): void {
  const bytes = Buffer.from(body as string, "latin1");
  let sent = 0;
  socket.write(start, "latin1");
  const timer = setInterval(() => {
    if (sent < bytes.length) socket.write(bytes.subarray(sent, ++sent));
    else socket.end();
  }, every);
  socket.once("close", () => clearInterval(timer));
}

/** No Content-Length, as long as the client reads: the list goes on with blanks. */
function endless(socket: Socket, start: string): void {
  const blanks = Buffer.alloc(BLOCK, " ");
  socket.write(`${start.replace(/Content-Length: \d+\r\n/, "")}{"drones": [`, "latin1");
  const pour = () => {
    while (socket.writable && socket.write(blanks));
  };
  socket.on("drain", pour);
  pour();
}
