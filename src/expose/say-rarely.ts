const QUIET_MS = 60_000;

/**
 * Limits a voice to one message a minute; what comes between is dropped.
 * OpenTelemetry reports every failed export, every few seconds for as long as its collector is away.
 */
export function sayRarely(
  say: (message: string) => void,
  now: () => number = () => performance.now(),
): (message: string) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (now() < quietUntil) return;
    quietUntil = now() + QUIET_MS;
    say(message);
  };
}
