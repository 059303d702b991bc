import { z } from "zod";
import { seconds } from "../model/duration.ts";
import { definePlugin } from "../model/plugin.ts";
import { CollectError, NothingHere } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { command, runProgram } from "./client/program.ts";
import { METRICS, type Metric } from "./gpu/metrics.ts";
import { parseNvidia, QUERY } from "./gpu/nvidia.ts";
import { readSysfs } from "./gpu/sysfs.ts";
import { root } from "./host/root.ts";

const config = z.strictObject({
  root,
  nvidia: z
    .enum(["auto", "on", "off"])
    .default("auto")
    .describe("Whether nvidia-smi is asked: where it is installed; always, and its absence is a failure; or never."),
  command: command.default(["nvidia-smi"]).describe("nvidia-smi, and what comes before it."),
});
type Config = z.output<typeof config>;

/** Cards of NVIDIA. What nvidia-smi complains about is on its standard output. */
async function readNvidia({ nvidia, command }: Config, signal: AbortSignal): Promise<readonly Sample<Metric>[]> {
  if (nvidia === "off") return [];
  try {
    const { code, stdout } = await runProgram(command, QUERY, signal);
    const samples = parseNvidia(stdout);
    if (code === 0 && samples.length > 0) return samples;
    if (/No devices were found/i.test(stdout)) return [];
    throw new CollectError(
      "unreachable",
      `nvidia-smi ended with ${code}: ${stdout.trim().split("\n", 1)[0]?.slice(0, 200)}`,
    );
  } catch (error) {
    const isMissing =
      error instanceof CollectError && (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
    if (nvidia === "auto" && isMissing) return [];
    throw error;
  }
}

/** Load, memory, temperature and power of graphics processors. */
export const gpuMonitor = definePlugin({
  id: "gpu_monitor",
  title: "GPU",
  summary: "Load, memory, temperature and power of graphics processors of NVIDIA, AMD and Intel.",
  category: "ai_ml",
  version: "1.0.0",
  tags: ["gpu", "nvidia", "amd", "cuda"],
  enabledByDefault: false,
  config,
  metrics: METRICS,
  jobs: {
    gpus: {
      summary: "Asks nvidia-smi, and reads what the kernel's drivers tell.",
      every: seconds(30),
      timeout: seconds(20),
      async collect({ config }, { signal }) {
        signal.throwIfAborted();
        const samples = [...(await readNvidia(config, signal)), ...(await readSysfs(config.root))];
        signal.throwIfAborted();
        if (samples.length === 0) throw new NothingHere("no graphics processor here tells anything");
        return { samples };
      },
    },
  },
});
