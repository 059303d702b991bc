import { promises as dns } from "node:dns";
import type { Session, Varbind } from "net-snmp";
import { CollectError } from "../../model/run.ts";
import { untilAborted } from "../client/abort.ts";
import { addressOf } from "../client/errors.ts";

/** How an agent is asked, secrets read. */
export interface Access {
  readonly host: string;
  readonly port: number;
  readonly version: "1" | "2c" | "3";
  readonly community: string;
  readonly user: string;
  readonly auth: { readonly protocol: string; readonly password: string } | undefined;
  readonly privacy: { readonly protocol: string; readonly password: string } | undefined;
  readonly timeoutMs: number;
}

/** A value by its OID; those that the agent has not are left out. */
export type Values = ReadonlyMap<string, Varbind["value"]>;

/** What can be asked of an agent. */
export interface Agent {
  get(oids: readonly string[]): Promise<Values>;
  /** Everything below an OID; no more than `max`. */
  walk(oid: string, max: number): Promise<Values>;
}

/** OIDs in one request: more do not fit the packet of small devices. */
const PER_REQUEST = 20;

/** Opens a session, lets `work` ask, and closes it. @throws {CollectError} with what the agent, or its silence, says */
export async function withAgent<T>(
  access: Access,
  signal: AbortSignal,
  work: (agent: Agent) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const snmp = await import("net-snmp");
  const ignore = () => undefined;
  const { address, family } = await untilAborted(signal, ignore, () => dns.lookup(access.host));
  const session = openSession(snmp, access, address, family);
  // Without a listener an error of the socket would end the process.
  session.on("error", ignore);
  let isOpen = true;
  const close = () => {
    if (isOpen) session.close();
    isOpen = false;
  };
  try {
    return await untilAborted(signal, close, () => work(agentOf(snmp, session, access.version)));
  } catch (error) {
    throw signal.aborted ? signal.reason : explained(error, access);
  } finally {
    close();
  }
}

type Snmp = typeof import("net-snmp");

function openSession(snmp: Snmp, access: Access, address: string, family: number): Session {
  const transport = family === 6 ? ("udp6" as const) : ("udp4" as const);
  const common = { port: access.port, transport, timeout: access.timeoutMs, retries: 1 };
  if (access.version !== "3") {
    const version = access.version === "1" ? snmp.Version1 : snmp.Version2c;
    return snmp.createSession(address, access.community, { ...common, version });
  }
  const { auth, privacy } = access;
  const { SecurityLevel, AuthProtocols, PrivProtocols } = snmp;
  const level = auth ? (privacy ? SecurityLevel.authPriv : SecurityLevel.authNoPriv) : SecurityLevel.noAuthNoPriv;
  const user = {
    name: access.user,
    level,
    ...(auth
      ? { authProtocol: AuthProtocols[auth.protocol as keyof typeof AuthProtocols], authKey: auth.password }
      : {}),
    ...(privacy
      ? { privProtocol: PrivProtocols[privacy.protocol as keyof typeof PrivProtocols], privKey: privacy.password }
      : {}),
  };
  return snmp.createV3Session(address, user, common);
}

/** The agent answered, and answered no. */
const isRefusal = (error: Error): boolean => error.name === "RequestFailedError";

function agentOf(snmp: Snmp, session: Session, version: Access["version"]): Agent {
  const present = (varbinds: readonly Varbind[]) =>
    varbinds.filter((varbind) => !snmp.isVarbindError(varbind)).map(({ oid, value }) => [oid, value] as const);
  const getSome = (oids: readonly string[]) =>
    new Promise<readonly (readonly [string, Varbind["value"]])[]>((resolve, reject) => {
      session.get([...oids], (error, varbinds = []) => {
        // Version 1 refuses the whole question for one name that it does not know.
        if (error && version === "1" && isRefusal(error)) resolve([]);
        else if (error) reject(error);
        else resolve(present(varbinds));
      });
    });
  return {
    async get(oids) {
      const size = version === "1" ? 1 : PER_REQUEST;
      const values = new Map<string, Varbind["value"]>();
      for (let at = 0; at < oids.length; at += size)
        for (const [oid, value] of await getSome(oids.slice(at, at + size))) values.set(oid, value);
      return values;
    },
    walk: (oid, max) =>
      new Promise((resolve, reject) => {
        const values = new Map<string, Varbind["value"]>();
        const feed = (varbinds: Varbind[]): true | undefined => {
          for (const [name, value] of present(varbinds)) if (values.size < max) values.set(name, value);
          return values.size >= max ? true : undefined;
        };
        session.subtree(oid, PER_REQUEST, feed as (varbinds: Varbind[]) => void, (error: Error | null) => {
          if (error && !isRefusal(error)) reject(error);
          else resolve(values);
        });
      }),
  };
}

function explained(error: unknown, { host, port, version }: Access): unknown {
  if (error instanceof CollectError || !(error instanceof Error)) return error;
  const where = `the SNMP agent at ${addressOf(host, port)}`;
  const secret = version === "3" ? "user and passwords" : "the community";
  if (error.name === "RequestTimedOutError")
    return new CollectError(
      "timeout",
      `${where} does not answer: is it there, is ${secret} right, may this host ask it?`,
      {
        cause: error,
      },
    );
  if (error.name === "ResponseInvalidError" || error.name === "RequestFailedError")
    return new CollectError("bad_data", `${where} refuses: ${error.message.slice(0, 120)}; check ${secret}`, {
      cause: error,
    });
  return error;
}
