/** The other side of alone(): calls what it is told to, and sends back what that returned. */
const [file = "", name = "", args = "[]"] = process.argv.slice(2);
const subject = (await import(file)) as Record<string, (...args: unknown[]) => unknown>;
const value = await subject[name]?.(...(JSON.parse(args) as unknown[]));
process.send?.({ value }, () => process.exit(0));

export {};
