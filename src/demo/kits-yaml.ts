import type { SimulatedKit } from "./kit-sim.ts";

/** Writes simulated kits as the `kits.yaml` that a collector of them is configured with. */
export function kitsYaml(kits: readonly SimulatedKit[]): string {
  // JSON strings are YAML strings, whatever a name holds.
  const entries = kits.map(
    ({ id, name, location, url }) =>
      `  - id: ${id}\n    name: ${JSON.stringify(name)}\n    location: ${JSON.stringify(location)}\n    api_url: ${JSON.stringify(url)}\n    enabled: true\n`,
  );
  return `# Simulated kits; written by the demo.\nkits:\n${entries.join("")}`;
}
