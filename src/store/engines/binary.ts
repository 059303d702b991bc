import type { StoredCell } from "../cells.ts";
import type { StoredRow } from "../rows.ts";
import type { ColumnType } from "../tables.ts";

/**
 * PostgreSQL's binary forms of rows: the body of a COPY, and arrays. The text forms have the server parse every number and
 * time, which is a fifth (wide rows) to a third (narrow ones) of its work, and have us write them, which was half of ours.
 */

/** What the body of a COPY begins with (sql-copy.html, "Binary Format"): signature, no flags, no extension. And its end. */
const HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const END = Buffer.from([0xff, 0xff]);

/** Pieces of a COPY are handed on at this size: while the server reads one, the next is written. */
const PIECE_BYTES = 64 * 1_024;
/** Room beyond it for one more row of the usual size. */
const ROOM_BYTES = PIECE_BYTES + 4 * 1_024;

/** What an array begins with, and what a cell takes in most columns. */
const [ARRAY_BYTES, CELL_BYTES] = [20, 16];

/** PostgreSQL counts times from 2000-01-01, in microseconds. */
const EPOCH_MS = Date.UTC(2_000);
const UINT32 = 2 ** 32;
const JSONB_VERSION = 1;

/** Types of the elements of arrays (pg_type.dat). */
const OID: Readonly<Record<ColumnType, number>> = {
  ...{ text: 25, double: 701, integer: 23, bigint: 20, boolean: 16, time: 1_184, json: 3_802 },
};

/** What is being written, and where it goes on. Numbers go through the view: a Buffer's own methods take twice as long. */
interface Piece {
  bytes: Buffer;
  view: DataView;
  at: number;
}

type Write = (piece: Piece, cell: StoredCell) => void;

/**
 * Rows as the body of a COPY, in pieces.
 * @param columns positions of the cells to write, in the order of the statement
 */
export function* copyBinary(
  types: readonly ColumnType[],
  columns: readonly number[],
  rows: readonly StoredRow[],
): Generator<Buffer> {
  const writes = columns.map((column) => WRITE[types[column] as ColumnType]);
  let piece = newPiece(ROOM_BYTES);
  append(piece, HEADER);
  for (const row of rows) {
    writeRow(piece, writes, columns, row);
    if (piece.at < PIECE_BYTES) continue;
    yield written(piece);
    piece = newPiece(ROOM_BYTES);
  }
  append(piece, END);
  yield written(piece);
}

function writeRow(piece: Piece, writes: readonly Write[], columns: readonly number[], row: StoredRow): void {
  reserve(piece, 2);
  piece.view.setInt16(piece.at, columns.length);
  piece.at += 2;
  for (let i = 0; i < columns.length; i++)
    writeCell(piece, writes[i] as Write, row[columns[i] as number] as StoredCell);
}

/** Columns of rows, each as an array of its type (array_recv in arrayfuncs.c). They share one piece of memory, which is collected as one. */
export function arraysBinary(
  types: readonly ColumnType[],
  columns: readonly number[],
  rows: readonly StoredRow[],
): Buffer[] {
  const piece = newPiece(columns.length * (ARRAY_BYTES + rows.length * CELL_BYTES));
  const ends = columns.map((column) => {
    writeArray(piece, types[column] as ColumnType, column, rows);
    return piece.at;
  });
  return ends.map((end, i) => piece.bytes.subarray(ends[i - 1] ?? 0, end));
}

function writeArray(piece: Piece, type: ColumnType, column: number, rows: readonly StoredRow[]): void {
  const [dimensions, mayHaveNulls, lowerBound] = [1, 1, 1];
  reserve(piece, ARRAY_BYTES);
  for (const int of [dimensions, mayHaveNulls, OID[type], rows.length, lowerBound]) writeInt32(piece, int);
  for (const row of rows) writeCell(piece, WRITE[type], row[column] as StoredCell);
}

function writeCell(piece: Piece, write: Write, cell: StoredCell): void {
  if (cell === null) writeLength(piece, -1);
  else write(piece, cell);
}

const WRITE: Readonly<Record<ColumnType, Write>> = {
  text: (piece, cell) => writeText(piece, String(cell)),
  json: (piece, cell) => writeText(piece, String(cell), JSONB_VERSION),
  double(piece, cell) {
    writeLength(piece, 8);
    piece.view.setFloat64(piece.at, Number(cell));
    piece.at += 8;
  },
  integer(piece, cell) {
    writeLength(piece, 4);
    writeInt32(piece, Number(cell));
  },
  bigint: (piece, cell) => writeInt64(piece, typeof cell === "bigint" ? cell : Number(cell)),
  boolean(piece, cell) {
    writeLength(piece, 1);
    piece.view.setUint8(piece.at++, cell ? 1 : 0);
  },
  time(piece, cell) {
    const ms = Number(cell) - EPOCH_MS;
    const us = ms * 1_000;
    // Before 1714 and after 2285 a double does not hold the microseconds.
    writeInt64(piece, Number.isSafeInteger(us) ? us : BigInt(ms) * 1_000n);
  },
};

/** Text, behind the number of its version where it has one. Its length is known when it is written. */
function writeText(piece: Piece, text: string, version?: number): void {
  // UTF-8 takes at most three bytes for each UTF-16 unit.
  reserve(piece, 5 + 3 * text.length);
  const start = piece.at + 4;
  let end = start;
  if (version !== undefined) piece.view.setUint8(end++, version);
  end += piece.bytes.write(text, end);
  writeInt32(piece, end - start);
  piece.at = end;
}

function writeInt64(piece: Piece, value: number | bigint): void {
  writeLength(piece, 8);
  if (typeof value === "bigint") {
    piece.view.setBigInt64(piece.at, value);
    piece.at += 8;
    return;
  }
  // In halves: a BigInt for every number costs more than the rest of a row.
  const high = Math.floor(value / UINT32);
  writeInt32(piece, high);
  writeInt32(piece, value - high * UINT32);
}

/** The length of a value (-1 for null), with room behind it for a value of up to eight bytes. */
function writeLength(piece: Piece, length: number): void {
  reserve(piece, 12);
  writeInt32(piece, length);
}

/** Numbers from 2^31 to 2^32 as well: they wrap. */
function writeInt32(piece: Piece, value: number): void {
  piece.view.setInt32(piece.at, value);
  piece.at += 4;
}

function append(piece: Piece, bytes: Buffer): void {
  reserve(piece, bytes.length);
  piece.at += bytes.copy(piece.bytes, piece.at);
}

function newPiece(size: number): Piece {
  // Not from Node's pool, and never used twice: the connection may hold on to it for a while.
  const bytes = Buffer.allocUnsafeSlow(size);
  return { bytes, view: new DataView(bytes.buffer), at: 0 };
}

function reserve(piece: Piece, size: number): void {
  if (piece.at + size <= piece.bytes.length) return;
  const { bytes, view } = newPiece(Math.max(2 * piece.bytes.length, piece.at + size));
  piece.bytes.copy(bytes, 0, 0, piece.at);
  piece.bytes = bytes;
  piece.view = view;
}

const written = ({ bytes, at }: Piece): Buffer => bytes.subarray(0, at);
