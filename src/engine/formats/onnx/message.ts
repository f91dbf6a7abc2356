// One protobuf message as a walk over its fields. Nothing is decoded until asked for, and nothing outside the message is ever read.
import { refuse } from '../../../contract/words/refusal';
import type { DataType, TensorData } from '../../graph/graph';
import { wire } from './fields';
import { type Budget, limits } from './limits';
import type { Source } from './source';

/** Resolves what a tensor says about external data to a place in a file that was checked to hold it. */
export type ResolveExternal = (
  tensor: string,
  dtype: DataType,
  entries: ReadonlyMap<string, string>,
  expectedBytes: number,
) => TensorData;

/** What one reading of one file carries along. */
export interface Reading {
  readonly source: Source;
  readonly budget: Budget;
  readonly external: ResolveExternal;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Message {
  readonly reading: Reading;
  readonly start: number;
  readonly end: number;
  /** The message's name in the ONNX definition, for sentences. */
  readonly what: string;
  private readonly depth: number;

  /** Number and wire type of the field the walk stands on. */
  field = 0;
  private wireType = 0;
  private tagStart: number;
  private valueStart: number;
  private valueEnd: number;
  // A varint field's value, in two halves.
  private low = 0;
  private high = 0;

  constructor(reading: Reading, what: string, start: number, end: number, depth: number) {
    this.reading = reading;
    this.what = what;
    this.start = start;
    this.end = end;
    this.depth = depth;
    this.tagStart = start;
    this.valueStart = start;
    this.valueEnd = start;
  }

  /** Steps to the next field; false at the end. */
  next(): boolean {
    if (this.valueEnd >= this.end) return false;
    this.tagStart = this.valueEnd;
    let position = this.varint(this.tagStart);
    if (this.high !== 0) this.damaged('a field number is too large');
    this.field = this.low >>> 3;
    this.wireType = this.low & 7;
    if (this.field === 0) this.damaged('a field has the number 0');
    switch (this.wireType) {
      case wire.varint:
        this.valueStart = position;
        position = this.varint(position);
        break;
      case wire.fixed64:
        this.valueStart = position;
        position += 8;
        break;
      case wire.fixed32:
        this.valueStart = position;
        position += 4;
        break;
      case wire.bytes:
        position = this.varint(position);
        this.valueStart = position;
        position += this.high * 2 ** 32 + this.low;
        break;
      default:
        this.damaged(`a field has the wire type ${this.wireType}, which ONNX does not use`);
    }
    if (position > this.end) {
      const claimed = position - this.valueStart;
      const left = Math.max(0, this.end - this.valueStart);
      this.damaged(`a field claims ${count(claimed)} bytes and ${count(left)} are left`);
    }
    this.valueEnd = position;
    return true;
  }

  /** Reads a varint into `low` and `high`; returns the position behind it. */
  private varint(position: number): number {
    const { source } = this.reading;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= this.end) this.damaged('a number is cut off');
      const byte = source.byte(position++);
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        // The tenth byte holds only bit 63.
        if (shift === 63 && bits > 1) break;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return position;
      }
    }
    return this.damaged('a number takes more than 64 bits');
  }

  private expect(type: number): void {
    if (this.wireType !== type) {
      this.damaged(`field ${this.field} has the wire type ${this.wireType} instead of ${type}`);
    }
  }

  /** int64. */
  int(): bigint {
    this.expect(wire.varint);
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }

  /** An int64 or enumeration where only numbers below 2^53 make sense. */
  safeInt(): number {
    this.expect(wire.varint);
    const value = (this.high | 0) * 2 ** 32 + this.low;
    if (!Number.isSafeInteger(value)) this.damaged(`field ${this.field} holds ${this.int()}`);
    return value;
  }

  float(): number {
    this.expect(wire.fixed32);
    return this.reading.source.view(this.valueStart, 4).readFloatLE();
  }

  /** The field's payload as bytes that stay. */
  bytes(): Uint8Array {
    this.expect(wire.bytes);
    const length = this.valueEnd - this.valueStart;
    this.reading.budget.part();
    this.reading.budget.keep(length);
    return this.reading.source.bytes(this.valueStart, length);
  }

  text(): string {
    this.expect(wire.bytes);
    const length = this.valueEnd - this.valueStart;
    this.reading.budget.part();
    this.reading.budget.keep(length);
    if (length === 0) return '';
    try {
      return utf8.decode(this.reading.source.view(this.valueStart, length));
    } catch {
      return this.damaged(`field ${this.field} is not UTF-8 text`);
    }
  }

  name(): string {
    const length = this.valueEnd - this.valueStart;
    if (length > limits.nameBytes) this.damaged(`a name has ${count(length)} bytes`);
    return this.text();
  }

  message(what: string): Message {
    this.expect(wire.bytes);
    if (this.depth >= limits.depth) {
      refuse('bad-model', `${this.reading.source.name} nests more than ${limits.depth} levels deep.`);
    }
    this.reading.budget.part();
    return new Message(this.reading, what, this.valueStart, this.valueEnd, this.depth + 1);
  }

  /** The same message from its start, for a second walk. */
  again(): Message {
    return new Message(this.reading, this.what, this.start, this.end, this.depth);
  }

  /** Where the payload of a length-delimited field is. */
  span(): { readonly start: number; readonly length: number } {
    this.expect(wire.bytes);
    return { start: this.valueStart, length: this.valueEnd - this.valueStart };
  }

  get isPacked(): boolean {
    return this.wireType === wire.bytes;
  }

  /** A repeated int64 field, packed or not: calls `each` with the two halves of every element. */
  varints(each: (low: number, high: number) => void): void {
    if (this.wireType === wire.varint) {
      each(this.low, this.high);
      return;
    }
    this.expect(wire.bytes);
    let position = this.valueStart;
    while (position < this.valueEnd) {
      position = this.varint(position);
      if (position > this.valueEnd) this.damaged('a packed number runs over the end of its field');
      each(this.low, this.high);
    }
  }

  /** A repeated fixed-width field, packed or not: calls `each` with pieces whose length is a multiple of `width`. */
  fixed(width: 4 | 8, each: (bytes: Uint8Array) => void): void {
    if (this.wireType !== (width === 4 ? wire.fixed32 : wire.fixed64)) this.expect(wire.bytes);
    if ((this.valueEnd - this.valueStart) % width !== 0)
      this.damaged(`a packed field is not a multiple of ${width} bytes`);
    const pieceBytes = 64 * 1024;
    for (let position = this.valueStart; position < this.valueEnd; position += pieceBytes) {
      each(this.reading.source.view(position, Math.min(pieceBytes, this.valueEnd - position)));
    }
  }

  /** Tag and payload as they came, for a field this program does not know. */
  raw(): Uint8Array {
    const length = this.valueEnd - this.tagStart;
    this.reading.budget.part();
    this.reading.budget.keep(length);
    return this.reading.source.bytes(this.tagStart, length);
  }

  /** The whole message as it came. */
  body(): Uint8Array {
    this.reading.budget.keep(this.end - this.start);
    return this.reading.source.bytes(this.start, this.end - this.start);
  }

  damaged(why: string): never {
    const { name, size } = this.reading.source;
    refuse(
      'bad-model',
      `${name} is damaged at byte ${count(this.tagStart)} of ${count(size)}, in a ${this.what}: ${why}.`,
      'Fetch or export the file again; it may have been cut off on the way.',
    );
  }
}

function count(value: number): string {
  return value.toLocaleString('en');
}
