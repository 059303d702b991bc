/**
 * What a plugin of one's own imports: `import { definePlugin, seconds } from "gleaner/plugin"`. Together with zod it is all
 * that the process of an external plugin gives it (src/isolate/child/hooks.ts).
 */
export { days, hours, minutes, seconds } from "./model/duration.ts";
export {
  type Category,
  type Context,
  definePlugin,
  type HttpClient,
  type HttpResponse,
  type Job,
  type Logger,
  type Plugin,
  type Target,
} from "./model/plugin.ts";
export { CollectError, type ErrorKind, NothingHere } from "./model/run.ts";
export type { Collected, Document, MetricSpec, Rejection, Sample, Unit } from "./model/sample.ts";
export { toUtc } from "./model/time.ts";
export { baseUnit, SOURCE_UNITS, toBase } from "./model/units.ts";
