/**
 * The process of one external plugin: src/isolate/launch.ts starts it, with Node's permission model on. Until the plugin is loaded all
 * code here is gleaner's; from then on nothing that this process sends is trusted (src/isolate/messages.ts).
 */
import { fileURLToPath } from "node:url";
import { isA, toCollectError } from "../../collect/errors.ts";
import { loadPluginFile } from "../../contract/load.ts";
import { declarationOf } from "../declaration.ts";
import type { ToChild } from "../messages.ts";
import { openChannel } from "./channel.ts";
import { hookImports } from "./hooks.ts";
import { lockDown } from "./lockdown.ts";
import { createLoggers } from "./log.ts";
import { createServer } from "./serve.ts";

type Start = Extract<ToChild, { type: "start" }>;
let server: ReturnType<typeof createServer> | undefined;

async function start({ n, id, place, files }: Start): Promise<void> {
  const specifier = hookImports(place, files);
  const url = specifier.startsWith("file:") ? specifier : import.meta.resolve(specifier);
  const { plugin, findings } = await loadPluginFile(fileURLToPath(url), id, url);
  const [first] = findings;
  if (!plugin || first) {
    const shown = findings.slice(0, 100).map(({ line, message }) => ({ line, message: message.slice(0, 1_000) }));
    return send({
      type: "refused",
      n,
      findings: shown.length > 0 ? shown : [{ line: 1, message: "exports no plugin" }],
    });
  }
  server = createServer(plugin, send, createLoggers(send));
  send({ type: "declared", n, declaration: declarationOf(plugin) });
}

async function answer(message: ToChild): Promise<void> {
  if (message.type === "start") await start(message);
  else if (message.type === "ping") send({ type: "pong", n: message.n });
  else await server?.answer(message);
}

/** What is thrown while a question is answered ends the process: whoever asked is told so. */
const send = openChannel((message) => {
  answer(message).catch((thrown: unknown) => {
    process.stderr.write(`${isA(Error, thrown) ? thrown.stack : toCollectError(thrown).message}\n`);
    process.exit(1);
  });
});
lockDown();
// A mistake that somebody makes in JavaScript every day is no reason to end all runs of all targets.
process.on("unhandledRejection", (reason) => {
  process.stderr.write(`a promise was rejected that nobody waited for: ${toCollectError(reason).message}\n`);
});
