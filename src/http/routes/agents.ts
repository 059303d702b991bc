import type { Request, Response } from "express";
import { LRUCache } from "lru-cache";
import type { AgentAnswer, Agents } from "../app/agents.ts";
import type { Application } from "../app.ts";
import { createRate, type Rate } from "../rate.ts";
import { bodyOf, refuse } from "../request-body.ts";
import type { Route } from "../route.ts";
import { send, sendJson, sendProblem } from "../send.ts";

/** What an agent may send at once (bytes), and how often in a minute. */
const REPORT = { bytes: 512_000, perMinute: 100 } as const;
const HEALTH = { bytes: 10_240, perMinute: 30 } as const;
const REGISTER = { bytes: 102_400, perMinute: 5 } as const;
const CONFIG = { perMinute: 5 } as const;
/** What an owner may send (bytes): a configuration for an agent is the largest. */
const OWNER_BYTES = 110_000;
/** Agents whose requests are counted at once; the least active are forgotten first. */
const MAX_COUNTED = 10_000;
const RETRY_AFTER_S = "10";

type Has = Pick<Application, "agents">;
const idOf = (request: Request): string => String(request.params["id"]);

/** For owners: who may report. For agents, with a key of their own: what they report. */
export function agentRoutes({ agents }: Has): Route[] {
  return [...ownerRoutes(agents), ...intakeRoutes(agents)];
}

function ownerRoutes(agents: Agents): Route[] {
  const change = (
    method: "POST" | "PUT",
    path: string,
    apply: (id: string, body: unknown) => Promise<AgentAnswer>,
    status = 200,
  ): Route => ({
    ...{ method, path, access: "admin" },
    async handle(request, response) {
      const body = await bodyOf(request, response, OWNER_BYTES);
      if (body) answer(response, await apply(idOf(request), body.json), status);
    },
  });
  return [
    {
      ...{ method: "GET", path: "/api/agents", access: "read" },
      handle: (_request, response) => sendJson(response, { agents: agents.list() }),
    },
    change("POST", "/api/agents", (_id, body) => agents.add(body), 201),
    change("POST", "/api/agents/:id/key", agents.renew, 201),
    change("PUT", "/api/agents/:id/config", agents.configure),
    {
      ...{ method: "DELETE", path: "/api/agents/:id", access: "admin" },
      handle: async (request, response) => answer(response, await agents.revoke(idOf(request))),
    },
  ];
}

function intakeRoutes(agents: Agents): Route[] {
  const intake = (
    path: string,
    { bytes, perMinute }: { readonly bytes: number; readonly perMinute: number },
    take: (id: string, body: unknown) => Promise<AgentAnswer>,
  ): Route => {
    const rates = ratesOf(perMinute);
    return {
      ...{ method: "POST", path: `/api/agents/:id/${path}`, access: "ingest" },
      async handle(request, response) {
        if (isTooSoon(rates(idOf(request)), request, response)) return;
        const body = await bodyOf(request, response, bytes);
        if (body) answer(response, await take(idOf(request), body.json));
      },
    };
  };
  const configRates = ratesOf(CONFIG.perMinute);
  return [
    intake("register", REGISTER, agents.register),
    intake("metrics", REPORT, agents.report),
    intake("health", HEALTH, agents.health),
    {
      ...{ method: "GET", path: "/api/agents/:id/config", access: "ingest" },
      handle(request, response) {
        if (!isTooSoon(configRates(idOf(request)), request, response)) answer(response, agents.config(idOf(request)));
      },
    },
  ];
}

/** A count of its own for each agent, which none can use up for another. */
function ratesOf(perMinute: number): (id: string) => Rate {
  const rates = new LRUCache<string, Rate>({ max: MAX_COUNTED });
  return (id) => {
    const rate = rates.get(id) ?? createRate(perMinute, 60_000);
    rates.set(id, rate);
    return rate;
  };
}

function isTooSoon(rate: Rate, request: Request, response: Response): boolean {
  const wait = rate.take();
  if (wait <= 0) return false;
  response.setHeader("Retry-After", `${Math.ceil(wait / 1_000)}`);
  refuse(request, response, 429, "too many requests of this agent; report more at once instead");
  return true;
}

const STATUS = { conflict: 409, unusable: 400, unavailable: 503 } as const;

function answer(response: Response, answered: AgentAnswer, done = 200): void {
  if (answered.status === "done") send(response, done, "application/json", JSON.stringify(answered.body));
  else if (answered.status === "unknown") sendProblem(response, 404, "no agent has this id; /api/agents lists them");
  else {
    if (answered.status === "unavailable") response.setHeader("Retry-After", RETRY_AFTER_S);
    sendProblem(response, STATUS[answered.status], answered.problems.join("; "));
  }
}
