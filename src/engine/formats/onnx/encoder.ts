// Builds one protobuf message. Tensor payloads are not copied in: they stand in the list of pieces and are streamed when written.
import { storedBytes, type Tensor } from '../../graph/graph';
import { wire } from './fields';

/** Bytes, or a tensor whose stored bytes belong here. */
export type Piece = Uint8Array | Tensor;

// In-memory payloads up to this size are copied into the message; larger ones stay where they are.
const inlineBytes = 4096;
const utf8 = new TextEncoder();

export class Encoder {
  private readonly done: Piece[] = [];
  private doneBytes = 0;
  private chunk = new Uint8Array(64);
  private used = 0;

  get length(): number {
    return this.doneBytes + this.used;
  }

  pieces(): readonly Piece[] {
    this.flush();
    return this.done;
  }

  /** Bytes to append at `this.used`; grows the chunk. */
  private room(bytes: number): void {
    if (this.used + bytes <= this.chunk.length) return;
    const larger = new Uint8Array(Math.max(this.chunk.length * 2, this.used + bytes));
    larger.set(this.chunk.subarray(0, this.used));
    this.chunk = larger;
  }

  private flush(): void {
    if (this.used === 0) return;
    this.done.push(this.chunk.subarray(0, this.used));
    this.doneBytes += this.used;
    this.chunk = new Uint8Array(64);
    this.used = 0;
  }

  private append(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.chunk.set(bytes, this.used);
    this.used += bytes.length;
  }

  private varint(value: number): void {
    this.room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.chunk[this.used++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.chunk[this.used++] = rest;
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  /** int64 and enumerations; negative ones take ten bytes. */
  int(field: number, value: number | bigint): this {
    this.tag(field, wire.varint);
    if (typeof value === 'number' && value >= 0) {
      this.varint(value);
      return this;
    }
    this.room(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.chunk[this.used++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.chunk[this.used++] = Number(rest);
    return this;
  }

  float(field: number, value: number): this {
    this.tag(field, wire.fixed32);
    this.room(4);
    new DataView(this.chunk.buffer).setFloat32(this.used, value, true);
    this.used += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.tag(field, wire.bytes);
    this.varint(value.length);
    this.append(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  optionalText(field: number, value: string | undefined): this {
    return value === undefined ? this : this.text(field, value);
  }

  message(field: number, inner: Encoder): this {
    this.tag(field, wire.bytes);
    this.varint(inner.length);
    for (const piece of inner.pieces()) this.piece(piece);
    return this;
  }

  /** A tensor's stored bytes as a length-delimited field. */
  payload(field: number, tensor: Tensor): this {
    this.tag(field, wire.bytes);
    this.varint(storedBytes(tensor));
    this.piece(tensor);
    return this;
  }

  /** Fields kept as they came, tag included. */
  raw(fields: readonly Uint8Array[] | undefined): this {
    for (const field of fields ?? []) this.append(field);
    return this;
  }

  private piece(piece: Piece): void {
    if (piece instanceof Uint8Array) {
      this.append(piece);
      return;
    }
    const length = storedBytes(piece);
    if (piece.data.kind === 'bytes' && length <= inlineBytes) {
      this.append(piece.data.bytes);
      return;
    }
    if (length === 0) return;
    this.flush();
    this.done.push(piece);
    this.doneBytes += length;
  }
}
