// Writes a small feed-forward ONNX model: just enough protobuf for nodes, float weights and typed inputs and outputs.

const text = new TextEncoder();

function varint(value) {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest < 0x80n) return Uint8Array.of(...bytes, low);
    bytes.push(low | 0x80);
  }
}

function join(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const number = (field, value) => join([varint(field << 3), varint(value)]);
const bytes = (field, value) => join([varint((field << 3) | 2), varint(value.length), value]);
const string = (field, value) => bytes(field, text.encode(value));
const message = (field, ...parts) => bytes(field, join(parts));

/** AttributeProto: 1 name, 3 i, 8 ints, 20 type (2 INT, 7 INTS). */
function attribute(name, value) {
  return Array.isArray(value)
    ? message(5, string(1, name), ...value.map((one) => number(8, one)), number(20, 7))
    : message(5, string(1, name), number(3, value), number(20, 2));
}

const types = { float: 1, int64: 7 };

/** NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute. */
export function node(name, op, inputs, outputs, attributes = {}) {
  const named = Object.entries(attributes).map(([key, value]) => attribute(key, value));
  return message(
    1,
    ...inputs.map((one) => string(1, one)),
    ...outputs.map((one) => string(2, one)),
    string(3, name),
    string(4, op),
    ...named,
  );
}

/** TensorProto: 1 dims, 2 data_type, 8 name, 9 raw_data. */
function tensor(type, name, dims, values) {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(5, ...dims.map((dim) => number(1, dim)), number(2, types[type]), string(8, name), bytes(9, raw));
}

export const weights = (name, dims, values) => tensor('float', name, dims, values);
export const integer = (name, value) => tensor('int64', name, [], BigInt64Array.of(BigInt(value)));
export const integers = (name, values) => tensor('int64', name, [values.length], BigInt64Array.from(values, BigInt));

/** ValueInfoProto of a tensor, `float` unless told; a string is a free dimension. */
function value(field, { name, dims, type = 'float' }) {
  const shape = dims.map((dim) => message(1, typeof dim === 'string' ? string(2, dim) : number(1, dim)));
  return message(field, string(1, name), message(2, message(1, number(1, types[type]), message(2, ...shape))));
}

/** ModelProto: 1 ir_version, 2 producer_name, 6 doc_string, 7 graph, 8 opset_import, 14 metadata_props. */
export function model({ name, doc, metadata, nodes, initializers, input, output }) {
  const graph = message(7, ...nodes, string(2, name), ...initializers, value(11, input), value(12, output));
  const properties = Object.entries(metadata).map(([key, text]) => message(14, string(1, key), string(2, text)));
  return join([
    number(1, 8),
    string(2, 'lathe-sample'),
    string(6, doc),
    graph,
    message(8, string(1, ''), number(2, 18)),
    ...properties,
  ]);
}
