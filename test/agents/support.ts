import { createSelf } from "../../src/expose/self.ts";
import { plugins } from "../../src/plugins/registry.gen.ts";

const self = createSelf({ version: "1" });
self.close();

/** Every metric that gleaner exposes of itself or by its own plugins, as far as it is known beforehand. */
export const METRICS_OF_ALL: readonly string[] = [
  ...plugins.flatMap(({ metrics }) => Object.keys(metrics)),
  ...self.names(),
];
