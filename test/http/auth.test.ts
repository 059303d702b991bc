import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Access, type Caller, createGuard, type Decision, type GuardOptions } from "../../src/http/auth.ts";
import { MAX_FAILURES, WINDOW_MS } from "../../src/http/throttle.ts";
import { createVerifier, grants, SCOPES } from "../../src/http/tokens.ts";
import { memoryLog, SECRETS, sha256, TOKENS } from "./helpers.ts";

const LOCAL: Caller = {
  peer: "127.0.0.1",
  authorization: [],
  host: "localhost:9470",
  origin: undefined,
  fetchSite: undefined,
  relayed: false,
};

interface Over {
  readonly bound?: boolean;
  readonly allowedHosts?: string[];
  readonly agentKey?: GuardOptions["agentKey"];
  readonly now?: () => number;
}

function guardWith(over: Over = {}) {
  const log = memoryLog();
  const { bound = true, allowedHosts = [], agentKey = () => "other", now = () => 0 } = over;
  const decide = createGuard({ tokens: TOKENS, allowedHosts, agentKey, boundToLoopback: () => bound, log, now });
  return {
    log,
    decide: (access: Access, caller: Partial<Caller>, agent?: string) =>
      code(decide(access, { ...LOCAL, ...caller }, agent)),
  };
}

const code = (decision: Decision): number => (decision.allow ? 200 : decision.status);
const withToken = (secret: string): Partial<Caller> => ({ authorization: [`Bearer ${secret}`] });

describe("the key of an agent", () => {
  const verdicts = { good: 200, wrong: 401, other: 401, expired: 401, revoked: 401, unavailable: 503 } as const;

  it("is good for what agents do, and for nothing else", () => {
    const { decide } = guardWith({ agentKey: () => "good" });
    for (const access of ["metrics", "read", "alerts", "admin"] as const)
      assert.equal(decide(access, withToken("its-key"), "a"), 401, access);
    assert.equal(decide("ingest", withToken("its-key")), 401, "and only where an agent is named");
    assert.equal(decide("ingest", withToken("its-key"), "a"), 200);
    assert.equal(decide("ingest", {}, "a"), 401, "a key is needed on this machine too");
    assert.equal(decide("ingest", { ...withToken("its-key"), origin: "https://evil.example" }, "a"), 403);
  });

  it("is worth what the agent's owner says", () => {
    for (const [verdict, status] of Object.entries(verdicts)) {
      const { decide } = guardWith({ agentKey: () => verdict as keyof typeof verdicts });
      assert.equal(decide("ingest", withToken("its-key"), "a"), status, verdict);
    }
  });

  it("is no guess when it is an old one, which its agent may go on sending", () => {
    for (const verdict of ["wrong", "expired", "revoked", "unavailable"] as const) {
      const { decide } = guardWith({ agentKey: () => verdict });
      for (let n = 0; n < MAX_FAILURES * 2; n++) decide("ingest", withToken("its-key"), "a");
      assert.equal(decide("read", withToken(SECRETS.read)), 200, verdict);
    }
  });
});

describe("scopes", () => {
  it("admin includes all, read includes metrics, nothing else includes anything", () => {
    const table = Object.fromEntries(SCOPES.map((held) => [held, SCOPES.filter((wanted) => grants([held], wanted))]));
    assert.deepEqual(table, {
      metrics: ["metrics"],
      read: ["metrics", "read"],
      ingest: ["ingest"],
      alerts: ["alerts"],
      admin: ["metrics", "read", "ingest", "alerts", "admin"],
    });
    assert.equal(grants([], "metrics"), false);
  });
});

describe("tokens", () => {
  it("finds exactly the token whose text was presented, whatever its length and alphabet", () => {
    const text = fc.string({ unit: "grapheme", minLength: 0, maxLength: 100 });
    fc.assert(
      fc.property(text, text, (secret, other) => {
        const verify = createVerifier([{ name: "one", scopes: ["read"], sha256: sha256(secret) }, ...TOKENS]);
        // What node makes of the bytes in a header.
        const inHeader = (value: string): string => Buffer.from(value, "utf8").toString("latin1");
        assert.equal(verify(inHeader(secret))?.name, "one");
        assert.equal(verify(inHeader(other))?.name, Buffer.from(other).equals(Buffer.from(secret)) ? "one" : undefined);
      }),
    );
  });

  it("accepts a digest in capitals and refuses what is no SHA-256, naming the token and not the digest", () => {
    const verify = createVerifier([{ name: "caps", scopes: [], sha256: sha256("x").toUpperCase() }]);
    assert.equal(verify("x")?.name, "caps");
    for (const digest of ["", "plain-secret", sha256("x").slice(1), `${sha256("x")}00`]) {
      assert.throws(() => createVerifier([{ name: "bad", scopes: [], sha256: digest }]), {
        name: "RangeError",
        message: 'token "bad": expected a SHA-256 digest of 64 hex digits',
      });
    }
  });

  it("no file compares tokens or digests with ===", () => {
    const folder = new URL("../../src/http/", import.meta.url);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
      const offending = readFileSync(new URL(file, folder), "utf8")
        .split("\n")
        .filter((line) => /(?:sha256|digest|presented|secret)\w*\s*[!=]==(?!\s*undefined)/i.test(line));
      assert.deepEqual(offending, [], file);
    }
  });
});

describe("a caller with a token", () => {
  it("is judged by its scopes wherever it comes from", () => {
    for (const peer of ["127.0.0.1", "192.0.2.7", "2001:db8::1"]) {
      const { decide } = guardWith({ bound: false });
      assert.equal(decide("metrics", { peer, ...withToken(SECRETS.metrics) }), 200);
      assert.equal(decide("read", { peer, ...withToken(SECRETS.metrics) }), 403);
      assert.equal(decide("admin", { peer, host: "any.example", ...withToken(SECRETS.admin) }), 200);
    }
  });

  it("is refused for a wrong, empty, repeated or other kind of credential, even where reads are open", () => {
    const { decide } = guardWith();
    const good = `Bearer ${SECRETS.admin}`;
    const bad = [
      "Bearer wrong",
      "Bearer ",
      "Bearer",
      "",
      SECRETS.admin,
      `Basic ${SECRETS.admin}`,
      `${good} x`,
      `${good},`,
    ];
    for (const value of bad) assert.equal(decide("read", { authorization: [value] }), 401, value);
    assert.equal(decide("read", { authorization: [good, good] }), 401);
    assert.equal(decide("read", { authorization: [good] }), 200);
    assert.equal(decide("read", { authorization: [`bearer  ${SECRETS.admin} `] }), 200);
  });
});

describe("a caller without a token", () => {
  it("may read from this machine under a name of this machine", () => {
    const { decide } = guardWith({ allowedHosts: ["Gleaner.Example"] });
    const hosts = ["localhost", "LOCALHOST:1", "127.0.0.1:9470", "127.0.0.2", "[::1]:9470", "gleaner.example:443"];
    for (const host of hosts) {
      for (const peer of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
        assert.equal(decide("read", { host, peer }), 200, `${peer} ${host}`);
        assert.equal(decide("metrics", { host, peer }), 200, `${peer} ${host}`);
      }
    }
  });

  it("may not when the Host header names another host (DNS rebinding)", () => {
    const { decide } = guardWith({ allowedHosts: ["gleaner.example"] });
    const hosts = [
      ...[undefined, "", "evil.example", "localhost.evil.example", "127.0.0.1.nip.example", "user@localhost"],
      ...["localhost:80@evil.example", "evil.example#localhost", "192.0.2.1", "[2001:db8::1]", "0.0.0.0", "2130706433"],
    ];
    for (const host of hosts) assert.equal(decide("read", { host }), 403, String(host));
  });

  it("may not from elsewhere, through a proxy, or when the server is bound to the network", () => {
    const { decide } = guardWith();
    for (const peer of ["192.0.2.7", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", ""]) {
      assert.equal(decide("read", { peer }), 401, peer);
    }
    assert.equal(decide("read", { relayed: true }), 401);
    assert.equal(guardWith({ bound: false }).decide("metrics", {}), 401);
  });

  it("may never write", () => {
    const { decide } = guardWith();
    assert.equal(decide("ingest", {}), 401);
    assert.equal(decide("admin", {}), 401);
  });
});

describe("a page of another site", () => {
  it("gets nothing, with a token or without", () => {
    const { decide } = guardWith();
    const foreign: Partial<Caller>[] = [
      { origin: "http://evil.example" },
      { origin: "http://localhost:3000" },
      { origin: "http://localhost" },
      { origin: "null" },
      { origin: "" },
      { fetchSite: "cross-site" },
    ];
    for (const caller of foreign) {
      assert.equal(decide("read", caller), 403, JSON.stringify(caller));
      assert.equal(decide("admin", { ...caller, ...withToken(SECRETS.admin) }), 403, JSON.stringify(caller));
      assert.equal(decide("public", caller), 200, JSON.stringify(caller));
    }
  });

  it("is not our own page, a link, or a page under an allowed name", () => {
    const { decide } = guardWith({ allowedHosts: ["gleaner.example"] });
    assert.equal(decide("read", { origin: "http://localhost:9470", fetchSite: "same-origin" }), 200);
    assert.equal(decide("read", { fetchSite: "none" }), 200);
    assert.equal(decide("read", { fetchSite: "same-site" }), 200);
    assert.equal(decide("read", { origin: "https://gleaner.example" }), 200);
  });
});

describe("guessing", () => {
  const guess = withToken("wrong");

  it(`stops an address after ${MAX_FAILURES} wrong tokens in a minute, right ones included, and no other address`, () => {
    let clock = 0;
    const { decide, log } = guardWith({ now: () => clock });
    const peer = "192.0.2.7";
    for (let n = 0; n < MAX_FAILURES; n++) assert.equal(decide("read", { peer, ...guess }), 401);
    for (let n = 0; n < 1_000; n++) assert.equal(decide("read", { peer, ...guess }), 429);
    assert.equal(decide("read", { peer, ...withToken(SECRETS.read) }), 429);
    assert.equal(decide("public", { peer, ...guess }), 200);
    assert.equal(decide("read", { peer: "192.0.2.8", ...withToken(SECRETS.read) }), 200);
    assert.equal(log.lines.length, 1);
    clock += WINDOW_MS;
    assert.equal(decide("read", { peer, ...withToken(SECRETS.read) }), 200);
    assert.equal(decide("read", { peer, ...guess }), 401);
    for (let n = 0; n < MAX_FAILURES; n++) decide("read", { peer, ...guess });
    assert.equal(log.lines.length, 2);
  });

  it("does not keep an agent from reporting that shares an address with a guesser", () => {
    const agentKey: GuardOptions["agentKey"] = (agent, presented) =>
      presented !== "its-key" ? "other" : agent === "a" ? "good" : "wrong";
    const peer = "203.0.113.9";
    const { decide } = guardWith({ agentKey });
    for (let n = 0; n < MAX_FAILURES; n++) assert.equal(decide("ingest", { peer, ...guess }, "a"), 401);
    assert.equal(decide("ingest", { peer, ...guess }, "a"), 429);
    assert.equal(decide("ingest", { peer, ...withToken("its-key") }, "a"), 200);
    assert.equal(decide("ingest", { peer, ...withToken("its-key") }, "b"), 401, "for itself alone");
  });

  it("says how long to wait", () => {
    let clock = 0;
    const guard = createGuard({
      ...{ tokens: TOKENS, allowedHosts: [], boundToLoopback: () => true, log: memoryLog() },
      agentKey: () => "other",
      now: () => clock,
    });
    const caller = { ...LOCAL, ...guess };
    for (let n = 0; n < MAX_FAILURES; n++) guard("read", caller);
    clock += 1_500;
    const decision = guard("read", caller);
    assert.deepEqual(decision.allow ? {} : decision.headers, { "Retry-After": "59" });
  });

  it("does not stop an address whose wrong tokens are far apart, nor local reads without a token", () => {
    let clock = 0;
    const { decide } = guardWith({ now: () => clock });
    for (let n = 0; n < 5 * MAX_FAILURES; n++) {
      clock += WINDOW_MS / (MAX_FAILURES - 2);
      assert.equal(decide("read", guess), 401);
    }
    const { decide: now } = guardWith();
    for (let n = 0; n <= MAX_FAILURES; n++) now("read", guess);
    assert.equal(now("read", guess), 429);
    assert.equal(now("read", {}), 200);
  });

  it("counts a whole IPv6 /64 as one guesser, and IPv4 in IPv6 as IPv4", () => {
    const { decide } = guardWith();
    for (let n = 0; n < MAX_FAILURES; n++) decide("read", { peer: `2001:db8:1:2::${n.toString(16)}`, ...guess });
    assert.equal(decide("read", { peer: "2001:db8:1:2:ffff:0:0:9", ...guess }), 429);
    assert.equal(decide("read", { peer: "2001:db8:1:3::1", ...guess }), 401);
    for (let n = 0; n < MAX_FAILURES; n++) decide("read", { peer: "::ffff:192.0.2.7", ...guess });
    assert.equal(decide("read", { peer: "192.0.2.7", ...guess }), 429);
  });
});
