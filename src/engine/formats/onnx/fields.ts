// Field numbers of ONNX's protobuf messages (`onnx.in.proto`, IR 14). What is not listed is kept as it came.

export const modelFields = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  domain: 4,
  modelVersion: 5,
  doc: 6,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  functions: 25,
} as const;

export const opsetFields = { domain: 1, version: 2 } as const;

/** StringStringEntryProto: metadata and the keys of external data. */
export const entryFields = { key: 1, value: 2 } as const;

export const functionFields = {
  name: 1,
  input: 4,
  output: 5,
  attribute: 6,
  node: 7,
  doc: 8,
  opsetImport: 9,
  domain: 10,
  attributeDefault: 11,
  valueInfo: 12,
  overload: 13,
  metadata: 14,
} as const;

export const graphFields = {
  node: 1,
  name: 2,
  initializer: 5,
  doc: 10,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
  metadata: 16,
} as const;

export const nodeFields = {
  input: 1,
  output: 2,
  name: 3,
  op: 4,
  attribute: 5,
  doc: 6,
  domain: 7,
  overload: 8,
  metadata: 9,
} as const;

export const attributeFields = {
  name: 1,
  float: 2,
  int: 3,
  string: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  tensors: 10,
  graphs: 11,
  doc: 13,
  type: 20,
  reference: 21,
  sparse: 22,
} as const;

/** AttributeProto.AttributeType. Types not listed (type protos and later ones) are kept encoded. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparse: 11,
} as const;

export const tensorFields = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  doc: 12,
  externalData: 13,
  dataLocation: 14,
  metadata: 16,
} as const;

export const dataLocations = { default: 0, external: 1 } as const;

export const sparseFields = { values: 1, indices: 2, dims: 3 } as const;

export const valueFields = { name: 1, type: 2, doc: 3, metadata: 4 } as const;

/** TypeProto, TypeProto.Tensor, TensorShapeProto and its Dimension. */
export const typeFields = { tensor: 1, elementType: 1, shape: 2, dim: 1, dimValue: 1, dimParam: 2 } as const;

/** Kinds of TypeProto besides tensors: sequence, map, opaque, sparse tensor, optional. */
export const otherTypeFields: ReadonlySet<number> = new Set([4, 5, 7, 8, 9]);

/** Protobuf wire types. Groups (3 and 4) never occur in ONNX. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
