/** `node --import` this, and gleaner has the plugins of hostile-plugins.ts instead of its own. */
import { registerHooks } from "node:module";

const REGISTRY = /\/registry\.gen\.ts$/;
const HOSTILE = new URL("./hostile-plugins.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    REGISTRY.test(specifier) ? { url: HOSTILE, shortCircuit: true } : next(specifier, context),
});
