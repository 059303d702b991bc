import { z } from "zod";
import { type Document, repeated } from "../document.ts";
import { expandedTexts } from "./interpolation.ts";

const provider = z
  .strictObject({
    name: z.string().min(1),
    type: z.literal("file"),
    orgId: z.int().optional(),
    folder: z.string().optional(),
    folderUid: z.string().optional(),
    disableDeletion: z.boolean().optional(),
    allowUiUpdates: z.boolean().optional(),
    editable: z.boolean().optional(),
    updateIntervalSeconds: z.int().min(1).optional(),
    options: z.strictObject({ path: z.string().min(1), foldersFromFilesStructure: z.boolean().optional() }),
  })
  .refine(({ folder, options }) => !(folder && options.foldersFromFilesStructure), {
    path: ["folder"],
    error: "expected no folder where foldersFromFilesStructure is true",
  });

const file = z.strictObject({ apiVersion: z.literal(1), providers: z.array(provider).min(1) });

/** Problems of a file in provisioning/grafana/dashboards. `names` are the providers of all files so far. */
export function checkProviders(document: Document, names: Map<string, string>): readonly string[] {
  const { value, problems } = document.validate(file, document.value);
  if (value === undefined) return problems;
  const twice = value.providers.flatMap(({ name }, index) =>
    repeated(names, name, { where: document.file, path: ["providers", index, "name"], what: "a name" }),
  );
  const traps = expandedTexts(value.providers, ["providers"]);
  return [
    ...twice.map((finding) => document.problem("provider", finding)),
    ...traps.map((finding) => document.problem("interpolation", finding)),
  ];
}
