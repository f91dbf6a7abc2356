// Writes safetensors: eight bytes of header length, the header as JSON, the tensors one after another without a gap.
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DataType, elementCount } from '../../graph/graph';

export interface NamedTensor {
  readonly name: string;
  readonly dtype: DataType;
  readonly dims: readonly number[];
  /** Little-endian, row-major. */
  readonly bytes: Uint8Array;
}

/** What the format calls each type, and how many bytes an element takes. */
const written: Partial<Record<DataType, readonly [name: string, bytes: number]>> = {
  float64: ['F64', 8],
  int64: ['I64', 8],
  uint64: ['U64', 8],
  float32: ['F32', 4],
  int32: ['I32', 4],
  uint32: ['U32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  int16: ['I16', 2],
  uint16: ['U16', 2],
  int8: ['I8', 1],
  uint8: ['U8', 1],
  bool: ['BOOL', 1],
};

/** The header is padded with blanks, so that the data begins at a multiple of this. */
const alignment = 8;

/** The same tensors in whatever order are the same bytes: wide types first, then by name. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const laid = tensors
    .map((tensor) => ({ ...tensor, kind: kindOf(tensor) }))
    .sort((a, b) => b.kind[1] - a.kind[1] || (a.name < b.name ? -1 : 1));
  const header = new Map<string, unknown>(Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []);
  let end = 0;
  for (const { name, dims, kind, bytes } of laid) {
    if (header.has(name)) throw new Error(`two tensors are called ${name}`);
    if (bytes.byteLength !== elementCount(dims) * kind[1])
      throw new Error(`${name}: ${bytes.byteLength} bytes for ${kind[0]}[${dims}]`);
    header.set(name, { dtype: kind[0], shape: dims, data_offsets: [end, (end += bytes.byteLength)] });
  }
  const entries = [...header].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const length = Math.ceil(text.length / alignment) * alignment;
  const out = new Uint8Array(8 + length + end).fill(0x20, 8, 8 + length);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(text, 8);
  let at = 8 + length;
  for (const { bytes } of laid) {
    out.set(bytes, at);
    at += bytes.byteLength;
  }
  return out;
}

/** Under a temporary name first: whoever looks sees the whole file or none. Its folder is made where it is missing. */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.part`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(encodeSafetensors(tensors, metadata));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

function kindOf({ name, dtype }: NamedTensor): readonly [name: string, bytes: number] {
  const kind = written[dtype];
  if (!kind) throw new Error(`${name}: safetensors has no ${dtype}`);
  return kind;
}
