// ValueInfoProto and TypeProto → values: names, element types and shapes of inputs, outputs and what lies between.
import type { DataType, Dim, Value, ValueType } from '../../graph/graph';
import { otherTypeFields, typeFields, valueFields } from './fields';
import { limits } from './limits';
import type { Message } from './message';
import { dataTypeNumbered, readEntry } from './read-tensor';

export function readValue(message: Message): Value {
  let name = '';
  let type: ValueType | null = null;
  let doc: string | undefined;
  const metadata = new Map<string, string>();
  const unknown: Uint8Array[] = [];
  let typeMessage: Message | null = null;
  while (message.next()) {
    switch (message.field) {
      case valueFields.name:
        name = message.name();
        break;
      case valueFields.type:
        typeMessage = message.message('TypeProto');
        break;
      case valueFields.doc:
        doc = message.text();
        break;
      case valueFields.metadata:
        metadata.set(...readEntry(message.message('StringStringEntryProto')));
        break;
      default:
        unknown.push(message.raw());
    }
  }
  if (typeMessage) type = readType(typeMessage, name);
  return {
    name,
    type,
    ...(doc === undefined ? {} : { doc }),
    ...(metadata.size === 0 ? {} : { metadata }),
    ...(unknown.length === 0 ? {} : { unknown }),
  };
}

function readType(message: Message, of: string): ValueType | null {
  let tensor: Message | null = null;
  let isOther = false;
  const unknown: Uint8Array[] = [];
  while (message.next()) {
    if (message.field === typeFields.tensor) tensor = message.message('TypeProto.Tensor');
    else if (otherTypeFields.has(message.field)) isOther = true;
    else unknown.push(message.raw());
  }
  if (isOther) return { kind: 'other', encoded: message.body() };
  if (!tensor) return unknown.length === 0 ? null : { kind: 'other', encoded: message.body() };
  let dtype: DataType | null = null;
  let shape: readonly Dim[] | null = null;
  let dimUnknown: readonly (readonly Uint8Array[])[] | undefined;
  while (tensor.next()) {
    if (tensor.field === typeFields.elementType) dtype = dataTypeNumbered(tensor, tensor.safeInt(), `value ${of}`);
    else if (tensor.field === typeFields.shape) [shape, dimUnknown] = readShape(tensor.message('TensorShapeProto'));
    else return { kind: 'other', encoded: message.body() };
  }
  return {
    kind: 'tensor',
    dtype,
    shape,
    ...(unknown.length === 0 ? {} : { unknown }),
    ...(dimUnknown === undefined ? {} : { dimUnknown }),
  };
}

type Shape = readonly [shape: readonly Dim[], dimUnknown: readonly (readonly Uint8Array[])[] | undefined];

function readShape(message: Message): Shape {
  const dims: Dim[] = [];
  const kept: (readonly Uint8Array[])[] = [];
  while (message.next()) {
    if (message.field !== typeFields.dim) message.damaged(`field ${message.field} of a shape is not a dimension`);
    if (dims.length >= limits.rank) message.damaged(`a shape has more than ${limits.rank} dimensions`);
    const dim = message.message('TensorShapeProto.Dimension');
    const unknown: Uint8Array[] = [];
    let size: Dim = null;
    while (dim.next()) {
      if (dim.field === typeFields.dimValue) {
        const value = dim.safeInt();
        // Old exporters write −1 for "not known".
        size = value < 0 ? null : value;
      } else if (dim.field === typeFields.dimParam) size = dim.name() || null;
      else unknown.push(dim.raw());
    }
    dims.push(size);
    kept.push(unknown);
  }
  return [dims, kept.some((unknown) => unknown.length > 0) ? kept : undefined];
}
