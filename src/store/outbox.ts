import type { Spool } from "./spool.ts";
import { decodeGroup, encodeGroup, type Group, rowsIn } from "./taken.ts";

/** A group on its way into the database, with the ids of the spool's records it came from. */
export interface Parcel {
  readonly ids: readonly number[];
  readonly group: Group;
  readonly rows: number;
}

/** The groups that wait for the database: all of them on disk, the oldest in memory as well. */
export interface Outbox {
  /** @returns what of the group could not be made durable; undefined when all was. */
  add(group: Group): Group | undefined;
  /** The oldest groups, about `maxRows` rows; undefined when nothing waits. Repeats the same until `done`. */
  next(maxRows: number): Parcel | undefined;
  done(parcel: Parcel): void;
  /** Says which history of commits the database has. @returns rows that are to be written again, because it is another */
  follow(history: string): number;
  /** Groups the spool gave up to make room: forget them here too. */
  forget(upTo: number): void;
  /** Rows waiting. */
  rows(): number;
  /** The last id that is written although the spool does not know it yet. */
  writtenUpTo(): number;
}

interface Cached {
  readonly id: number;
  readonly rows: number;
  readonly group: Group;
}

/** Rows kept in memory beside the disk, so that in good times nothing is read back; about 20 MB of kit rows at most. */
const CACHED_ROWS = 20_000;

/** Rows of one record, unless one batch has more: what piled up in memory must not become one write. */
const RECORD_ROWS = 5_000;

/** Told of rows that are given up. */
export interface OutboxLosses {
  /** Of records that are no longer what was written. */
  readonly onDamaged: (rows: number) => void;
  /** Of batches that are no plain data. */
  readonly onUnstorable: (rows: number) => void;
}

export function createOutbox(spool: Spool, { onDamaged, onUnstorable }: OutboxLosses): Outbox {
  /** The oldest groups without a gap. */
  let cached: Cached[] = [];
  let cachedRows = 0;
  /** Whether the disk holds groups behind those in memory. */
  let behind = spool.size().records > 0;
  /** Written, but the spool could not be told yet: a full disk. They are the oldest, and are not written again. */
  let written: Pick<Parcel, "ids" | "rows"> = { ids: [], rows: 0 };

  function tellWritten(): void {
    if (written.ids.length > 0 && spool.done(written.ids)) written = { ids: [], rows: 0 };
  }

  /** Brings what is next from the disk into memory. */
  function refill(maxRows: number): void {
    const records = spool.read(written.ids.at(-1) ?? 0, maxRows);
    const damaged: number[] = [];
    for (const { id, rows, body } of records) {
      const group = body === undefined ? undefined : decodeGroup(body);
      if (group) {
        cached.push({ id, rows, group });
        cachedRows += rows;
      } else {
        damaged.push(id);
        onDamaged(rows);
      }
    }
    if (damaged.length > 0) spool.remove(damaged);
    // Of a spool that cannot be read now nobody knows what it holds.
    behind = spool.problem() !== undefined || spool.size().records > written.ids.length + cached.length;
    if (cached.length === 0 && damaged.length > 0 && behind) refill(maxRows);
  }

  function fromMemory(maxRows: number): Parcel | undefined {
    let rows = 0;
    let n = 0;
    while (n < cached.length && (n === 0 || rows + (cached[n] as Cached).rows <= maxRows))
      rows += (cached[n++] as Cached).rows;
    if (n === 0) return undefined;
    const taken = cached.slice(0, n);
    return parcel(
      taken.map((entry) => entry.id),
      taken.map((entry) => entry.group),
    );
  }

  function remember(id: number, rows: number, group: Group): void {
    if (cachedRows + rows > CACHED_ROWS) behind = true;
    if (behind) return;
    cached.push({ id, rows, group });
    cachedRows += rows;
  }

  function add(group: Group): Group | undefined {
    const rows = rowsIn(group);
    if (rows > RECORD_ROWS && isDivisible(group)) return addHalves(group);
    const body = encoded(group);
    if (body === undefined && isDivisible(group)) return addHalves(group);
    if (body === undefined) return void onUnstorable(rows);
    const id = spool.append(body, rows);
    if (id === undefined) return group;
    remember(id, rows, group);
    return undefined;
  }

  function addHalves(group: Group): Group | undefined {
    const [first, second] = halves(group);
    const left = add(first);
    return left ? merged([left, second]) : add(second);
  }

  return {
    add,
    next(maxRows) {
      // On the disk without our knowing: appends that failed and came there all the same.
      if (cached.length === 0 && (behind || spool.size().records > written.ids.length)) refill(maxRows);
      return fromMemory(maxRows);
    },
    done({ ids, rows }) {
      const gone = new Set(ids);
      cached = cached.filter((entry) => !gone.has(entry.id));
      cachedRows = cached.reduce((sum, entry) => sum + entry.rows, 0);
      written = { ids: [...written.ids, ...ids], rows: written.rows + rows };
      tellWritten();
    },
    follow(history) {
      tellWritten();
      const before = spool.size().rows;
      if (!spool.follow(history)) return 0;
      // What was kept is older than all that waits, and on disk only.
      [behind, cached, cachedRows] = [true, [], 0];
      return spool.size().rows - before;
    },
    forget(upTo) {
      cached = cached.filter((entry) => entry.id > upTo);
      cachedRows = cached.reduce((sum, entry) => sum + entry.rows, 0);
    },
    writtenUpTo: () => written.ids.at(-1) ?? 0,
    rows: () => Math.max(0, spool.size().rows - written.rows),
  };
}

function parcel(ids: readonly number[], groups: readonly Group[]): Parcel {
  const group = merged(groups);
  return { ids, group, rows: rowsIn(group) };
}

const merged = (groups: readonly Group[]): Group => ({
  batches: groups.flatMap((each) => each.batches),
  events: groups.flatMap((each) => each.events),
});

const isDivisible = ({ batches, events }: Group) => batches.length + events.length > 1;

/** Events go with the later half: what they tell of has been collected. */
function halves({ batches, events }: Group): [Group, Group] {
  if (batches.length < 2)
    return [
      { batches, events: [] },
      { batches: [], events },
    ];
  const middle = batches.length >> 1;
  return [
    { batches: batches.slice(0, middle), events: [] },
    { batches: batches.slice(middle), events },
  ];
}

/** The group as a record's body; undefined when it is no plain data, or more than a text can hold. */
function encoded(group: Group): string | undefined {
  try {
    return encodeGroup(group);
  } catch {
    return undefined;
  }
}
