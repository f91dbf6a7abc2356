// The graph every format is read into and every method rewrites: nodes, values and tensors whose bytes stay on disk until asked for.

/** Element types, spelled as in the ONNX `TensorProto.DataType` enumeration, lower case. */
export const dataTypes = {
  float32: { onnx: 1, bits: 32 },
  uint8: { onnx: 2, bits: 8 },
  int8: { onnx: 3, bits: 8 },
  uint16: { onnx: 4, bits: 16 },
  int16: { onnx: 5, bits: 16 },
  int32: { onnx: 6, bits: 32 },
  int64: { onnx: 7, bits: 64 },
  string: { onnx: 8, bits: 0 },
  bool: { onnx: 9, bits: 8 },
  float16: { onnx: 10, bits: 16 },
  float64: { onnx: 11, bits: 64 },
  uint32: { onnx: 12, bits: 32 },
  uint64: { onnx: 13, bits: 64 },
  complex64: { onnx: 14, bits: 64 },
  complex128: { onnx: 15, bits: 128 },
  bfloat16: { onnx: 16, bits: 16 },
  float8e4m3fn: { onnx: 17, bits: 8 },
  float8e4m3fnuz: { onnx: 18, bits: 8 },
  float8e5m2: { onnx: 19, bits: 8 },
  float8e5m2fnuz: { onnx: 20, bits: 8 },
  uint4: { onnx: 21, bits: 4 },
  int4: { onnx: 22, bits: 4 },
  float4e2m1: { onnx: 23, bits: 4 },
  float8e8m0: { onnx: 24, bits: 8 },
  uint2: { onnx: 25, bits: 2 },
  int2: { onnx: 26, bits: 2 },
} as const satisfies Record<string, { onnx: number; bits: number }>;

export type DataType = keyof typeof dataTypes;

/** Where a tensor's elements are. Bytes are little-endian, row-major, sub-byte types packed low bits first (ONNX `raw_data`). */
export type TensorData =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** `file` is absolute and already checked to contain [offset, offset + length). */
  | { readonly kind: 'file'; readonly file: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'strings'; readonly strings: readonly Uint8Array[] };

/** An immutable tensor; shared freely between graphs, never written in place. */
export interface Tensor {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Protobuf fields this program does not know, kept as they came (tag and payload). */
  readonly unknown?: readonly Uint8Array[];
}

/** ONNX `SparseTensorProto` (COO): kept and written back; densified by the runtime at load. */
export interface SparseTensor {
  readonly values: Tensor;
  readonly indices: Tensor;
  readonly dims: readonly number[];
  readonly unknown?: readonly Uint8Array[];
}

/** A known size, a symbol shared by name, or null where nothing is known. */
export type Dim = number | string | null;

export type ValueType =
  | {
      readonly kind: 'tensor';
      readonly dtype: DataType | null;
      readonly shape: readonly Dim[] | null;
      /** Denotation and fields not known, of the type and of each dimension; kept as they came. */
      readonly unknown?: readonly Uint8Array[];
      readonly dimUnknown?: readonly (readonly Uint8Array[])[];
    }
  /** Sequence, map, optional and sparse types: kept as their encoded `TypeProto`. */
  | { readonly kind: 'other'; readonly encoded: Uint8Array };

export interface Value {
  readonly name: string;
  readonly type: ValueType | null;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  readonly unknown?: readonly Uint8Array[];
}

export type Attribute = {
  readonly doc?: string;
  readonly unknown?: readonly Uint8Array[];
} & (
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'string'; readonly value: Uint8Array }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph }
  | { readonly type: 'sparse'; readonly value: SparseTensor }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'ints'; readonly value: readonly bigint[] }
  | { readonly type: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly type: 'tensors'; readonly value: readonly Tensor[] }
  | { readonly type: 'graphs'; readonly value: readonly Graph[] }
  /** Inside a model-local function: the name of the calling node's attribute. `as` is the declared AttributeType number. */
  | { readonly type: 'reference'; readonly value: string; readonly as: number }
  /** `type_proto` and whatever later versions add: the encoded AttributeProto body, kept whole. */
  | { readonly type: 'encoded'; readonly value: Uint8Array }
);

/** A step of the graph. An absent optional input or output is the empty string, as in ONNX. */
export interface Node {
  readonly name: string;
  readonly op: string;
  /** `''` is the standard ONNX domain. */
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  readonly unknown?: readonly Uint8Array[];
}

/** Nodes in topological order. A pass returns a new graph and shares every tensor it did not change. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Sparse initializers by the name of their `values` tensor. */
  readonly sparse: ReadonlyMap<string, SparseTensor>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** `value_info`: declared types of intermediate values. */
  readonly values: ReadonlyMap<string, Value>;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Fields kept as they came: quantization_annotation and whatever later versions add. */
  readonly unknown?: readonly Uint8Array[];
}

/** A model-local function (ONNX `FunctionProto`). */
export interface LocalFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes without a default. */
  readonly attributes: readonly string[];
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly values: ReadonlyMap<string, Value>;
  readonly doc?: string;
  readonly metadata?: ReadonlyMap<string, string>;
  readonly unknown?: readonly Uint8Array[];
}

export interface Model {
  readonly irVersion: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly doc?: string;
  /** Domain → version; `''` is the standard domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly functions: readonly LocalFunction[];
  readonly graph: Graph;
  readonly unknown?: readonly Uint8Array[];
}

/** Number of elements; 1 for a scalar. Dimensions were checked to be non-negative and their product below 2^53 when read. */
export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}

/** Bytes of a tensor's elements as stored, sub-byte types packed. */
export function byteLength(dtype: DataType, dims: readonly number[]): number {
  return Math.ceil((elementCount(dims) * dataTypes[dtype].bits) / 8);
}

/** Bytes a tensor takes where it is stored (strings: the sum of their lengths). */
export function storedBytes(tensor: Tensor): number {
  switch (tensor.data.kind) {
    case 'bytes':
      return tensor.data.bytes.byteLength;
    case 'file':
      return tensor.data.length;
    case 'strings':
      return tensor.data.strings.reduce((sum, text) => sum + text.byteLength, 0);
    default:
      return tensor.data satisfies never;
  }
}
