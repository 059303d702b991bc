/** Degrees. */
export interface Position {
  readonly lat: number;
  readonly lon: number;
}

/** Metres per degree of latitude, the figure kits themselves use. */
const METRES_PER_DEGREE = 111_320;

/** The position `east` and `north` metres from `from`; good enough for the tens of kilometres a kit hears. */
export function offset(from: Position, east: number, north: number): Position {
  const perDegreeLon = METRES_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180);
  return { lat: from.lat + north / METRES_PER_DEGREE, lon: from.lon + east / perDegreeLon };
}

/** Course over ground in degrees [0, 360), north 0, clockwise, of a movement in metres. */
export function course(east: number, north: number): number {
  return ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360;
}

/** Rounds to `digits` decimals. */
export function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
