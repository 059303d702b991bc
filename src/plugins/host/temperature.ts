import { readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Sample } from "../../model/sample.ts";
import { list, numbers, readSlow } from "./proc.ts";
import { one } from "./sample.ts";

type Temperatures = readonly Sample<"temperature_celsius">[];

/** The `tempN_input` files of one hwmon chip, in thousandths of a degree; named by `tempN_label` where that is unique. */
async function readChip(chip: string): Promise<Temperatures> {
  const inputs = (await list(chip)).filter((file) => /^temp\d+_input$/.test(file)).sort();
  const prefix = await chipName(chip);
  const labels = await Promise.all(
    inputs.map(async (file) => (await readSlow(chip, file.replace("_input", "_label"))).trim()),
  );
  const readings = inputs.map(async (file, i) => {
    const label = labels[i];
    const unique = label && labels.indexOf(label) === labels.lastIndexOf(label);
    return readTemperature(join(chip, file), `${prefix}/${unique ? label : file.replace("_input", "")}`);
  });
  return (await Promise.all(readings)).flat();
}

/** hwmonN is numbered anew at each boot; the device behind it keeps its name and tells two equal chips apart. */
async function chipName(chip: string): Promise<string> {
  const driver = (await readSlow(chip, "name")).trim() || basename(chip);
  const device = basename(await readlink(join(chip, "device")).catch(() => ""));
  return device.includes(driver) ? device : [driver, device].filter(Boolean).join("-");
}

async function readThermalZone(zone: string): Promise<Temperatures> {
  const type = (await readSlow(zone, "type")).trim();
  return readTemperature(join(zone, "temp"), `${type}/${basename(zone)}`);
}

async function readTemperature(file: string, sensor: string): Promise<Temperatures> {
  const [millidegrees = Number.NaN] = numbers(await readSlow(file));
  return one("temperature_celsius", millidegrees / 1000, { sensor });
}

/** hwmon chips; thermal zones only where there is none, because they mostly repeat the same sensors. */
export async function readTemperatures(root: string): Promise<Temperatures> {
  const each = async (folder: string, name: RegExp, read: (path: string) => Promise<Temperatures>) => {
    const names = (await list(root, folder)).filter((entry) => name.test(entry)).sort();
    return (await Promise.all(names.map((entry) => read(join(root, folder, entry))))).flat();
  };
  const chips = await each("sys/class/hwmon", /^hwmon\d+$/, readChip);
  return chips.length > 0 ? chips : each("sys/class/thermal", /^thermal_zone\d+$/, readThermalZone);
}
