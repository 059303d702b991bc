// The image's HEALTHCHECK: exit 0 when the gleaner of this machine says that it is healthy. Its image has no curl.
const port = (process.env["GLEANER_LISTEN"] || "127.0.0.1:9470").split(":").at(-1);
const answer = await fetch(`http://127.0.0.1:${port}/-/healthy`, { signal: AbortSignal.timeout(4_000) }).catch(
  () => null,
);
process.exitCode = answer?.ok ? 0 : 1;
