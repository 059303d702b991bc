/** The paths a kit answers, in the order it compares them. */
const ROUTES = ["/status", "/drones", "/signals", "/config", "/update/check"] as const;
export type Route = (typeof ROUTES)[number];

/** A kit compares prefixes of the raw path: queries are ignored, and `/dronesfoo` answers too. */
export function routeOf(path: string): Route | undefined {
  return ROUTES.find((route) => path.startsWith(route));
}

/** What each path says with 503 while its part of the kit is not up, and with 500 when that part fails. */
export const UNAVAILABLE: Readonly<Record<Route, { readonly 503: string; readonly 500: string }>> = {
  "/status": { 503: "system status unavailable", 500: "status unavailable" },
  "/drones": { 503: "drone manager unavailable", 500: "drones unavailable" },
  "/signals": { 503: "signal manager unavailable", 500: "signals unavailable" },
  "/config": { 503: "config unavailable", 500: "config unavailable" },
  "/update/check": { 503: "update check unavailable", 500: "update check failed" },
};

/** The body of `/update/check`. */
export const UPDATE_CHECK =
  '{"ok": true, "branch": "main", "local_head": "ef69b254c23f24e7c95168b225dee6c2a21fb0e5", "remote_head": "ef69b254c23f24e7c95168b225dee6c2a21fb0e5", "update_available": false}';

/** The body of `/config`: what a kit shows of its configuration, secrets left out. */
export function configBody(port: number): string {
  return `{${[
    '"tak": {"host": "", "port": null, "protocol": null, "multicast_addr": "239.2.3.1", "multicast_port": 6969, "enable_multicast": false, "enable_receive": false, "multicast_interface": "127.0.0.1", "multicast_ttl": 1, "tls": false}',
    `"api": {"enabled": true, "host": "127.0.0.1", "port": ${port}}`,
    '"zmq": {"host": "127.0.0.1", "port": 4224, "status_port": 4225}',
    '"mqtt": {"enabled": false, "host": "127.0.0.1", "port": 1883, "topic": "wardragon/drones", "per_drone_enabled": false, "per_drone_base": "wardragon/drone", "ha_enabled": false, "ha_prefix": "homeassistant", "signals_enabled": false, "signals_topic": "wardragon/signals", "ha_signal_tracker": false, "ha_signal_id": "signal_latest"}',
    '"adsb": {"enabled": true, "json_url": "file:///run/readsb/aircraft.json", "uid_prefix": "adsb-", "cot_stale": 15.0, "cache_ttl": 120.0, "rate_limit": 3.0, "min_alt": 0, "max_alt": 0}',
    '"fpv": {"enabled": true, "zmq_host": "127.0.0.1", "zmq_port": 4226, "stale": 60.0, "radius_m": 15.0, "rate_limit": 2.0, "max_signals": 200, "confirm_only": true}',
    '"lattice": {"enabled": false, "base_url": "", "source_name": "DragonSync", "drone_rate": 1.0, "wardragon_rate": 0.2}',
  ].join(", ")}}`;
}
