import { z } from "zod";
import { definePlugin, type Plugin } from "../../../src/model/plugin.ts";
import type { Collected } from "../../../src/model/sample.ts";

const EVERY_MS = 250;
const TIMEOUT_MS = 200;

type Behaviour = () => unknown;

/** A plugin that runs four times a second and does this. */
const plugin = (id: string, behave: Behaviour): Plugin =>
  definePlugin({
    id,
    title: id,
    summary: "A plugin of a test.",
    category: "custom",
    version: "1.0.0",
    enabledByDefault: true,
    config: z.strictObject({}),
    metrics: { [`${id}_value`]: { help: "A value.", labels: ["part"] } },
    jobs: {
      main: {
        summary: "Misbehaves.",
        every: EVERY_MS,
        timeout: TIMEOUT_MS,
        collect: async () => (await behave()) as Collected,
      },
    },
  }) as Plugin;

const good = (id: string): Collected => ({ samples: [{ metric: `${id}_value`, value: 1 }] });

/** Throws whatever is done with it. */
const untouchable: object = new Proxy(
  {},
  {
    get: () => {
      throw new Error("not to be read");
    },
    getPrototypeOf: () => {
      throw new Error("not to be asked");
    },
    ownKeys: () => {
      throw new Error("not to be listed");
    },
  },
);

const thrown = (what: unknown) => () => {
  throw what;
};

function cyclic(): object {
  const body: Record<string, unknown> = {};
  body["self"] = body;
  return body;
}

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  never_resolves: () => new Promise(() => {}),
  resolves_twice: () =>
    new Promise((resolve, reject) => {
      resolve(good("resolves_twice"));
      resolve({ samples: "no" });
      reject(new Error("too late"));
    }),
  throws_undefined: thrown(undefined),
  throws_null: thrown(null),
  throws_text: thrown("just text"),
  throws_proxy: thrown(untouchable),
  throws_getter: thrown({
    get message() {
      throw new Error("not to be read");
    },
  }),
  rejects_later: () => {
    setTimeout(() => void Promise.reject(new Error("nobody waits for this")), 20);
    return good("rejects_later");
  },
  rejects_after_deadline: () =>
    new Promise((_, reject) => setTimeout(() => reject(new Error("late")), TIMEOUT_MS + 100)),
  returns_nothing: () => undefined,
  returns_proxy: () => untouchable,
  returns_getters: () => ({
    samples: [],
    get rows() {
      throw new Error("not to be read");
    },
  }),
  returns_null_samples: () => ({ samples: [null, 7, "x"] }),
  returns_odd_rows: () => ({ samples: [], rows: [null, { table: "drones" }, { table: 7, at: "x", values: null }] }),
  returns_bigints: () => ({ samples: [], documents: [{ name: "big", body: { n: 1n } }] }),
  returns_cycle: () => ({ samples: [], documents: [{ name: "cycle", body: cyclic() }] }),
  many_samples: () => ({
    samples: Array.from({ length: 200_000 }, (_, i) => ({
      metric: "many_samples_value",
      value: i,
      labels: { part: String(i) },
    })),
  }),
  many_rows: () => ({
    samples: [],
    rows: Array.from({ length: 1_000_000 }, () => MANY),
  }),
  huge_text: () => ({ samples: [], documents: [{ name: "huge", body: "x".repeat(64 * 1024 * 1024) }] }),
};

const MANY = { table: "drones", at: new Date(0), values: { kit_id: "x", drone_id: "y" } };
/** Each of these would fill a slow machine four times a second. */
const SELDOM = new Set(["many_samples", "many_rows", "huge_text"]);
const seldom = (behave: Behaviour): Behaviour => {
  let n = 0;
  return () => (n++ % 8 === 0 ? behave() : { samples: [] });
};

/** The hostile ones, and one that does what it should. */
export const plugins: readonly Plugin[] = [
  ...Object.entries(BEHAVIOURS).map(([id, behave]) => plugin(id, SELDOM.has(id) ? seldom(behave) : behave)),
  plugin("well_behaved", () => good("well_behaved")),
];
