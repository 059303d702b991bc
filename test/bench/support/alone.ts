import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(import.meta.resolve("./alone-child.ts"));

/**
 * Calls a function that a file exports, in a process of its own, and gives what it returned: what one contender holds
 * and has compiled must not weigh on another. The process can collect its garbage when it wants to (`global.gc`).
 * @param file A `file:` URL, as import.meta.resolve gives it.
 */
export async function alone<T>(file: string, name: string, ...args: readonly unknown[]): Promise<T> {
  const child = fork(CHILD, [file, name, JSON.stringify(args)], { execArgv: ["--expose-gc"] });
  let answer: { value: T } | undefined;
  child.once("message", (message) => {
    answer = message as { value: T };
  });
  await once(child, "close");
  if (!answer) throw new Error(`${name} of ${file} ended without a result`);
  return answer.value;
}
