import { Counter, Gauge, type Registry } from "prom-client";

/** Makes counters with one label, at 0 for its known values, as functions that record. */
export function counters(registry: Registry) {
  return (name: string, help: string, label: string, known: readonly string[] = []) => {
    const counter = new Counter({ name, help, labelNames: [label], registers: [registry] });
    for (const value of known) counter.inc({ [label]: value }, 0);
    return (value: string, amount = 1): void => {
      if (isAmount(amount)) counter.inc({ [label]: value }, amount);
    };
  };
}

/** Makes gauges; with `read` they are read at each scrape. */
export function gauges(registry: Registry) {
  return (name: string, help: string, read?: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      ...(read === undefined
        ? {}
        : {
            collect() {
              this.set(read());
            },
          }),
    });
}

/** What is read, or something else when reading throws. */
export function guarded<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Whether it can be counted: a finite number that is not negative. */
export function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
