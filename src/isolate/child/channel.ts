import { Socket } from "node:net";
import { createUnframer, frameOf } from "../frames.ts";
import type { FromChild, ToChild } from "../messages.ts";

/** The descriptor that the process was started with, beside the three that every process has. */
const DESCRIPTOR = 3;

/** The way to gleaner. When it is closed at the other end, gleaner is gone, and this process has to go. */
export function openChannel(onMessage: (message: ToChild) => void): (message: FromChild) => void {
  // The plugin may put something else in its place.
  const leave = process.exit.bind(process);
  const socket = new Socket({ fd: DESCRIPTOR, readable: true, writable: true });
  const unframe = createUnframer((json) => onMessage(JSON.parse(json.toString()) as ToChild));
  socket.on("data", unframe);
  for (const event of ["end", "close", "error"]) socket.on(event, () => leave(0));
  return (message) => void socket.write(frameOf(JSON.stringify(message)));
}
