// TensorProto and SparseTensorProto → tensors. Raw and external data stay in their files; typed fields become raw bytes.
import { refuse } from '../../../contract/words/refusal';
import {
  byteLength,
  type DataType,
  dataTypes,
  elementCount,
  type SparseTensor,
  type Tensor,
  type TensorData,
} from '../../graph/graph';
import { dataLocations, entryFields, sparseFields, tensorFields } from './fields';
import { limits } from './limits';
import type { Message } from './message';

const dataTypeOf = new Map<number, DataType>(
  Object.entries(dataTypes).map(([name, { onnx }]) => [onnx, name as DataType]),
);

/** The element type with this number, or null for UNDEFINED (0). */
export function dataTypeNumbered(message: Message, number: number, of: string): DataType | null {
  if (number === 0) return null;
  const dtype = dataTypeOf.get(number);
  if (dtype === undefined) {
    const { name } = message.reading.source;
    refuse(
      'unsupported',
      `${name}: ${of} has the element type ${number}, which ONNX did not have when this build was made.`,
    );
  }
  return dtype;
}

export function readEntry(message: Message): readonly [key: string, value: string] {
  let key = '';
  let value = '';
  while (message.next()) {
    if (message.field === entryFields.key) key = message.text();
    else if (message.field === entryFields.value) value = message.text();
  }
  return [key, value];
}

/** Which typed field holds which elements (`onnx.proto`, comment of TensorProto). */
const typedField: Record<Exclude<DataType, 'string'>, number> = {
  float32: tensorFields.floatData,
  complex64: tensorFields.floatData,
  float64: tensorFields.doubleData,
  complex128: tensorFields.doubleData,
  int64: tensorFields.int64Data,
  uint32: tensorFields.uint64Data,
  uint64: tensorFields.uint64Data,
  int32: tensorFields.int32Data,
  uint8: tensorFields.int32Data,
  int8: tensorFields.int32Data,
  uint16: tensorFields.int32Data,
  int16: tensorFields.int32Data,
  bool: tensorFields.int32Data,
  float16: tensorFields.int32Data,
  bfloat16: tensorFields.int32Data,
  float8e4m3fn: tensorFields.int32Data,
  float8e4m3fnuz: tensorFields.int32Data,
  float8e5m2: tensorFields.int32Data,
  float8e5m2fnuz: tensorFields.int32Data,
  float8e8m0: tensorFields.int32Data,
  // One entry per byte: two 4-bit or four 2-bit elements in its low 8 bits.
  uint4: tensorFields.int32Data,
  int4: tensorFields.int32Data,
  float4e2m1: tensorFields.int32Data,
  uint2: tensorFields.int32Data,
  int2: tensorFields.int32Data,
};

interface Seen {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  /** Fields with elements in them; at most one may be there. */
  readonly carriers: ReadonlySet<number>;
  readonly raw: { readonly start: number; readonly length: number } | null;
  readonly isExternal: boolean;
  readonly entries: ReadonlyMap<string, string>;
}

export function readTensor(message: Message): Tensor {
  let name = '';
  let type = 0;
  let doc: string | undefined;
  let raw: { start: number; length: number } | null = null;
  let location: number = dataLocations.default;
  const dims: number[] = [];
  const carriers = new Set<number>();
  const entries = new Map<string, string>();
  const metadata = new Map<string, string>();
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    switch (message.field) {
      case tensorFields.dims:
        message.varints((low, high) => dims.push(dimension(message, low, high, dims.length)));
        break;
      case tensorFields.dataType:
        type = message.safeInt();
        break;
      case tensorFields.floatData:
      case tensorFields.int32Data:
      case tensorFields.stringData:
      case tensorFields.int64Data:
      case tensorFields.doubleData:
      case tensorFields.uint64Data:
        // Some writers leave an empty packed field beside the real one.
        if (!message.isPacked || message.field === tensorFields.stringData || message.span().length > 0) {
          carriers.add(message.field);
        }
        break;
      case tensorFields.rawData:
        raw = message.span();
        carriers.add(message.field);
        break;
      case tensorFields.name:
        name = message.name();
        break;
      case tensorFields.doc:
        doc = message.text();
        break;
      case tensorFields.externalData: {
        const [key, value] = readEntry(message.message('StringStringEntryProto'));
        if (entries.has(key)) message.damaged(`external data of a tensor says ${key} twice`);
        entries.set(key, value);
        break;
      }
      case tensorFields.dataLocation:
        location = message.safeInt();
        break;
      case tensorFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      case tensorFields.segment:
        message.damaged('a tensor comes in segments, which no ONNX writer makes');
        break;
      default:
        unknown.push(message.raw());
    }
  }
  const dtype = dataTypeNumbered(message, type, `tensor ${name}`);
  if (dtype === null) message.damaged(`tensor ${name} has no element type`);
  checkSize(message, name, dims);
  const isExternal = location === dataLocations.external;
  return {
    name,
    dtype,
    dims,
    data: locate(message, { name, dtype, dims, carriers, raw, isExternal, entries }),
    ...(doc === undefined ? {} : { doc }),
    ...(metadata.size === 0 ? {} : { metadata }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

function dimension(message: Message, low: number, high: number, rank: number): number {
  if (rank >= limits.rank) message.damaged(`a tensor has more than ${limits.rank} dimensions`);
  const size = (high | 0) * 2 ** 32 + low;
  if (size < 0) message.damaged(`a tensor has the dimension ${size}`);
  return size;
}

function checkSize(message: Message, name: string, dims: readonly number[]): void {
  const elements = dims.reduce((product, dim) => product * Math.max(dim, 1), 1);
  if (elements > limits.elements) message.damaged(`tensor ${name} claims [${dims.join(', ')}], ${elements} elements`);
}

function locate(message: Message, seen: Seen): TensorData {
  const { reading } = message;
  const { name, dtype, dims, carriers, raw } = seen;
  if (seen.isExternal) {
    if (carriers.size > 0) message.damaged(`tensor ${name} has its data both inside and outside the file`);
    if (dtype === 'string')
      message.damaged(`tensor ${name} keeps text in external data, where ONNX allows numbers only`);
    return reading.external(name, dtype, seen.entries, byteLength(dtype, dims));
  }
  if (carriers.size > 1) message.damaged(`tensor ${name} has its data twice, in different fields`);
  if (dtype === 'string') return readStrings(message, seen);
  const expected = byteLength(dtype, dims);
  if (carriers.size === 0) {
    if (expected > 0) message.damaged(`tensor ${name}, ${dtype}[${dims.join(', ')}], has no data`);
    return { kind: 'bytes', bytes: new Uint8Array(0) };
  }
  if (raw !== null) {
    if (raw.length !== expected) wrongSize(message, seen, expected, raw.length);
    return reading.source.tensorData(raw.start, raw.length, reading.budget);
  }
  if (!carriers.has(typedField[dtype]))
    message.damaged(`tensor ${name}, ${dtype}, has its data in the field of another type`);
  return readTyped(message.again(), seen, expected);
}

function wrongSize(message: Message, { name, dtype, dims }: Seen, expected: number, found: number): never {
  const comma = (value: number) => value.toLocaleString('en');
  message.damaged(
    `tensor ${name}, ${dtype}[${dims.join(', ')}], takes ${comma(expected)} bytes and has ${comma(found)}`,
  );
}

function readStrings(message: Message, seen: Seen): TensorData {
  const strings: Uint8Array[] = [];
  if (seen.raw !== null) message.damaged(`tensor ${seen.name} keeps text in raw_data`);
  const again = message.again();
  while (again.next()) if (again.field === tensorFields.stringData) strings.push(again.bytes());
  const expected = elementCount(seen.dims);
  if (strings.length !== expected)
    message.damaged(`tensor ${seen.name} takes ${expected} texts and has ${strings.length}`);
  return { kind: 'strings', strings };
}

/** Float and double fields are raw bytes already and stay in the file where they came packed; the others are varints. */
function readTyped(message: Message, seen: Seen, expected: number): TensorData {
  const { reading, end, start } = message;
  const field = typedField[seen.dtype as Exclude<DataType, 'string'>];
  const isFixed = field === tensorFields.floatData || field === tensorFields.doubleData;
  if (isFixed) {
    const whole = message.again();
    while (whole.next()) {
      if (whole.field !== field || !whole.isPacked || whole.span().length !== expected) continue;
      return reading.source.tensorData(whole.span().start, expected, reading.budget);
    }
  }
  // A varint takes at least one byte: claims beyond that are refused before anything is allocated.
  const elementBytes = Math.max(1, dataTypes[seen.dtype].bits / 8);
  const most = isFixed ? end - start : (end - start) * elementBytes;
  if (expected > most) wrongSize(message, seen, expected, most);
  reading.budget.decode(expected);
  const bytes = new Uint8Array(expected);
  const view = new DataView(bytes.buffer);
  let filled = 0;
  while (message.next()) {
    if (message.field !== field) continue;
    if (isFixed) {
      message.fixed(field === tensorFields.floatData ? 4 : 8, (piece) => {
        if (filled + piece.length <= expected) bytes.set(piece, filled);
        filled += piece.length;
      });
    } else {
      message.varints((low, high) => {
        if (filled < expected) put(view, filled, elementBytes, low, high);
        filled += elementBytes;
      });
    }
  }
  if (filled !== expected) wrongSize(message, seen, expected, filled);
  return { kind: 'bytes', bytes };
}

function put(view: DataView, at: number, width: number, low: number, high: number): void {
  if (width === 1) view.setUint8(at, low);
  else if (width === 2) view.setUint16(at, low, true);
  else view.setUint32(at, low, true);
  if (width === 8) view.setUint32(at + 4, high, true);
}

export function readSparse(message: Message): SparseTensor {
  let values: Tensor | undefined;
  let indices: Tensor | undefined;
  const dims: number[] = [];
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    switch (message.field) {
      case sparseFields.values:
        values = readTensor(message.message('TensorProto'));
        break;
      case sparseFields.indices:
        indices = readTensor(message.message('TensorProto'));
        break;
      case sparseFields.dims:
        message.varints((low, high) => dims.push(dimension(message, low, high, dims.length)));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  if (!values || !indices) return message.damaged('a sparse tensor lacks its values or its indices');
  checkSize(message, values.name, dims);
  return { values, indices, dims, ...(unknown.length === 0 ? {} : { unknown }) };
}
