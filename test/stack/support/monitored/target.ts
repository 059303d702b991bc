import { join } from "node:path";
import { ROOT } from "../../../packaging/files.ts";
import type { TemporaryFolder } from "../../../support/folder.ts";
import { serveRecorded } from "../../../support/recorded_server.ts";

/** Targets of gleaner.yaml by their ids: the plugin and its settings. */
export type Targets = Readonly<
  Record<string, { readonly plugin: string; readonly interval: string; readonly config: object }>
>;

/** Starts something to collect from; what has to be ended goes into `parts`. */
export type Starter = (parts: AsyncDisposableStack, folder: TemporaryFolder) => Promise<Targets>;

export const local = { host: "127.0.0.1" } as const;

/** Not each second: a run of some takes longer than that. */
const interval = "3s";

/** One target, called as its plugin when it is the only one. */
export const target = (plugin: string, config: object, id = plugin.replace(/_monitor$/, "")): Targets => ({
  [id]: { plugin, interval, config },
});

const caseOf = (plugin: string, name: string) => join(ROOT, "test/plugins", plugin, "cases", name);

/** The documents of a case folder, behind the address that they are served at. */
export async function documents(parts: AsyncDisposableStack, plugin: string, name: string): Promise<string> {
  const server = await serveRecorded(join(caseOf(plugin, name), "http"));
  parts.defer(() => server.close());
  return server.url;
}

/** The program of a case folder, which answers as a real one did. */
export const program = (plugin: string, name: string, file: string) => ({
  command: ["sh", join(caseOf(plugin, name), file)],
});
