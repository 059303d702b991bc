import { z } from "zod";
import { seconds } from "../../src/model/duration.ts";
import { definePlugin, type Plugin } from "../../src/model/plugin.ts";

const nothing = async () => ({ samples: [] });

const about = { title: "", summary: "", category: "custom", version: "1.0.0", metrics: {} } as const;

/** A plugin that needs configuration. */
const thing = definePlugin({
  ...about,
  id: "thing",
  title: "Thing",
  enabledByDefault: false,
  config: z.strictObject({
    address: z.string(),
    port: z.number().max(65_535).default(80),
    password: z.string().optional(),
  }),
  jobs: {
    read: { summary: "", every: seconds(45), collect: nothing },
    deep: { summary: "", every: seconds(600), timeout: seconds(120), collect: nothing },
  },
});

/** One that runs by default. */
const otherThing = definePlugin({
  ...about,
  id: "other_thing",
  title: "Other thing",
  enabledByDefault: true,
  config: z.strictObject({}),
  jobs: { read: { summary: "", every: seconds(60), collect: nothing } },
});

/** Kits, as far as configuration is concerned. */
const dragonsync = definePlugin({
  ...about,
  id: "dragonsync",
  enabledByDefault: false,
  health: "kit",
  config: z.strictObject({ api_url: z.string() }),
  jobs: {
    drones: { summary: "", every: seconds(7), collect: nothing },
    signals: { summary: "", every: seconds(7), collect: nothing },
    status: { summary: "", every: seconds(7), collect: nothing },
    about: { summary: "", every: seconds(3_600), collect: nothing },
  },
});

export const plugins: readonly Plugin[] = [thing, otherThing, dragonsync];
