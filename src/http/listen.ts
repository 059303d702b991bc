import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostPort, isLoopback, isLoopbackHost } from "./address.ts";

export interface ListenAddress {
  /** IP address or name; empty means every address of this machine. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** Where the server is reached. `host` is the address really bound. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/**
 * Binds the server.
 * @throws {Error} one sentence that names the address and what to do: address taken, not ours, not permitted,
 * or reachable from the network while no token is configured.
 */
export async function listenOn(server: Server, address: ListenAddress, hasTokens: boolean): Promise<Listening> {
  if (!hasTokens && !isLoopbackHost(address.host)) throw new Error(openToTheNetwork(address));
  await bind(server, address);
  const bound = server.address() as AddressInfo;
  // "localhost" is a name, and a hosts file can make it anything.
  if (!hasTokens && !isLoopback(bound.address)) {
    server.close();
    throw new Error(openToTheNetwork(address));
  }
  return { host: bound.address, port: bound.port, url: `http://${hostPort(browsable(bound.address), bound.port)}/` };
}

function bind(server: Server, address: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (error: NodeJS.ErrnoException): void => reject(explain(error, address));
  server.once("error", failed);
  try {
    server.listen({ host: address.host || undefined, port: address.port }, () => {
      server.off("error", failed);
      resolve();
    });
  } catch (error) {
    // A port out of range is thrown, everything else is an event.
    failed(error as NodeJS.ErrnoException);
  }
  return promise;
}

/** "Every address" is no address to open in a browser. */
function browsable(address: string): string {
  return address === "0.0.0.0" || address === "::" ? "localhost" : address;
}

function openToTheNetwork({ host, port }: ListenAddress): string {
  return (
    `refusing to listen on ${hostPort(host || "*", port)}: it is reachable from the network and no token is configured; ` +
    `configure a token under server.tokens in gleaner.yaml (or GLEANER_TOKEN_FILE), or set GLEANER_LISTEN=127.0.0.1:${port} to serve this machine only`
  );
}

const FIXES: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there; stop it, or set GLEANER_LISTEN to another address or port",
  EADDRNOTAVAIL: "this machine has no such address; set GLEANER_LISTEN to one that it has, such as 127.0.0.1:9470",
  EACCES: "ports below 1024 need special rights; set GLEANER_LISTEN to a higher port, such as 127.0.0.1:9470",
  ENOTFOUND: "the name does not resolve; set GLEANER_LISTEN to an IP address, such as 127.0.0.1:9470",
  ERR_SOCKET_BAD_PORT: "a port is a number from 0 to 65535; set GLEANER_LISTEN to one, such as 127.0.0.1:9470",
};

function explain(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
  const fix = FIXES[error.code ?? ""] ?? `${error.code ?? error.message}; set GLEANER_LISTEN to another address`;
  return new Error(`cannot listen on ${hostPort(host || "*", port)}: ${fix}`, { cause: error });
}
