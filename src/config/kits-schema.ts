import { z } from "zod";
import { delay, interval, kitUrl, tags, targetId, timeout, whole } from "./fields.ts";

const retryPolicy = z.strictObject({
  max_retries: whole(0, 20)
    .optional()
    .describe("Further attempts within one poll.")
    .meta({ unset: "kits.max_retries" }),
  backoff_multiplier: z
    .number()
    .min(1)
    .max(10)
    .optional()
    .describe("Above 1 each wait is this many times the one before.")
    .meta({ unset: "waits grow by base_delay" }),
  base_delay: delay().optional().describe("Wait before the first further attempt.").meta({ unset: "kits.retry_delay" }),
});

const kit = z.strictObject({
  id: targetId()
    .optional()
    .describe("The kit's id in every row, label and dashboard.")
    .meta({ unset: "what the kit calls itself" }),
  name: z.string().min(1).max(200).optional().describe("A name for people.").meta({ unset: "the id" }),
  api_url: kitUrl().describe("Where its API answers, such as http://10.0.0.11:8088."),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A file with the certificates (PEM) that it is held to over https, relative to this file; no others count.",
    )
    .meta({ unset: "the certificates Node trusts" }),
  location: z.string().max(200).optional().describe("Where it stands; becomes the tag `location`."),
  enabled: z.boolean().default(true).describe("false keeps the entry and stops polling."),
  poll_interval: interval()
    .optional()
    .describe("How often drones and signals are read.")
    .meta({ unset: "kits.poll_interval" }),
  status_interval: interval()
    .optional()
    .describe("How often the status is read.")
    .meta({ unset: "kits.status_interval" }),
  timeout: timeout()
    .optional()
    .describe("Longest that one poll may take, retries included.")
    .meta({ unset: "kits.timeout" }),
  tags: tags().prefault({}).describe("Labels for everything it sends."),
  retry_policy: retryPolicy.prefault({}).describe("How failed attempts are repeated."),
});

/** kits.yaml. An empty file, or an empty list, is no kits. */
export const kitsSchema = z.strictObject({
  kits: z.array(kit).default([]).describe("The kits to poll."),
});

/** One kit as kits.yaml has it, defaults filled in, durations in milliseconds. */
export type KitSettings = z.output<typeof kit>;
