// The elements of small constant tensors: sizes, axes, scales of a Resize. Everything larger stays where it is.
import { type DataType, dataTypes, elementCount, type Model, type Tensor } from '../graph';
import { readBytes } from '../tensor';
import { everyGraph } from '../walk';
import { mostValues } from './known';

// Floats matter only as scales of a few axes.
const mostFloats = 16;

/** Small integer, bool and float constants of every graph, by tensor. */
export async function smallConstants(model: Model): Promise<ReadonlyMap<Tensor, readonly number[]>> {
  const found = new Map<Tensor, readonly number[]>();
  for (const { graph } of everyGraph(model)) {
    for (const tensor of graph.initializers.values()) await take(tensor);
    for (const node of graph.nodes) {
      for (const attribute of node.attributes.values()) if (attribute.type === 'tensor') await take(attribute.value);
    }
  }
  return found;

  async function take(tensor: Tensor): Promise<void> {
    const count = elementCount(tensor.dims);
    const limit = tensor.dtype === 'float32' || tensor.dtype === 'float64' ? mostFloats : mostValues;
    if (count > limit || tensor.dims.length > 1 || !reads(tensor.dtype) || found.has(tensor)) return;
    found.set(tensor, decode(await readBytes(tensor), tensor.dtype, count));
  }
}

/** The elements of a small tensor that is in memory; undefined for others. */
export function smallValues({ data, dtype, dims }: Tensor): readonly number[] | undefined {
  const count = elementCount(dims);
  return data.kind === 'bytes' && count <= mostFloats && reads(dtype) ? decode(data.bytes, dtype, count) : undefined;
}

const reads = (dtype: DataType): boolean => /^(u?int(8|16|32|64)|bool|float32|float64)$/.test(dtype);

/** Int64 beyond 2^53 occurs as "to the end" only: the nearest double serves. */
function decode(bytes: Uint8Array, dtype: DataType, count: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = dataTypes[dtype].bits / 8;
  return Array.from({ length: count }, (_, i) => {
    const at = i * width;
    switch (dtype) {
      case 'int64':
        return Number(view.getBigInt64(at, true));
      case 'uint64':
        return Number(view.getBigUint64(at, true));
      case 'int32':
        return view.getInt32(at, true);
      case 'uint32':
        return view.getUint32(at, true);
      case 'int16':
        return view.getInt16(at, true);
      case 'uint16':
        return view.getUint16(at, true);
      case 'int8':
        return view.getInt8(at);
      case 'float32':
        return view.getFloat32(at, true);
      case 'float64':
        return view.getFloat64(at, true);
      default:
        return view.getUint8(at);
    }
  });
}
