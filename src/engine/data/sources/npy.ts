// NumPy .npy. Bytes: 93 'NUMPY' major minor | header length (uint16, uint32 from 2.0 on) | a Python dict as text | numbers.
import { basename } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { DataType } from '../../graph/graph';
import { ByteStream, holdsAnnounced, seeFile } from '../bytes';
import { type ArrayHeader, arraySource, checkHeader } from './array';
import type { Source, SourceRequest } from './source';

const types: Record<string, { dtype: DataType; bytes: number }> = {
  u1: { dtype: 'uint8', bytes: 1 },
  b1: { dtype: 'bool', bytes: 1 },
  i1: { dtype: 'int8', bytes: 1 },
  u2: { dtype: 'uint16', bytes: 2 },
  i2: { dtype: 'int16', bytes: 2 },
  f2: { dtype: 'float16', bytes: 2 },
  u4: { dtype: 'uint32', bytes: 4 },
  i4: { dtype: 'int32', bytes: 4 },
  f4: { dtype: 'float32', bytes: 4 },
  u8: { dtype: 'uint64', bytes: 8 },
  i8: { dtype: 'int64', bytes: 8 },
  f8: { dtype: 'float64', bytes: 8 },
};

/** NumPy's own writer stays far below; a longer header is an attack or an array with thousands of named columns. */
const longestHeader = 64 * 1024;

export type NpyFacts = Pick<ArrayHeader, 'dtype' | 'bytesPerValue' | 'bigEndian' | 'dims' | 'offset'>;

/** Reads the header at the start of a stream. */
export async function readNpyFacts(stream: ByteStream, name: string): Promise<NpyFacts> {
  const start = (await stream.upTo(8)).slice();
  if (start.byteLength < 8 || String.fromCharCode(...start.subarray(1, 6)) !== 'NUMPY' || start[0] !== 0x93) {
    refuse('bad-dataset', `${name} is not a NumPy array.`);
  }
  const wide = start[6]! >= 2;
  const lengthBytes = (await stream.read(wide ? 4 : 2)).slice();
  const lengthView = new DataView(lengthBytes.buffer);
  const length = wide ? lengthView.getUint32(0, true) : lengthView.getUint16(0, true);
  if (length > longestHeader) refuse('bad-dataset', `${name} has a header of ${length} bytes; 65,536 is the limit.`);
  const text = Buffer.from(await stream.read(length)).toString('latin1');

  const descr = /'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (!descr || !order || !shape) {
    refuse(
      'bad-dataset',
      `${name} is a NumPy array of objects or records.`,
      'Save plain numbers: uint8, int64, float32 …',
    );
  }
  const type = types[descr[2]!];
  if (!type)
    refuse('bad-dataset', `${name} holds NumPy type ${descr[2]}.`, 'Save plain numbers: uint8, int64, float32 …');
  const dims = (shape[1]!.match(/\d+/g) ?? []).map(Number);
  if (order[1] === 'True' && dims.length > 1) {
    refuse('bad-dataset', `${name} is stored column by column.`, 'Save it through numpy.ascontiguousarray.');
  }
  return {
    dtype: type.dtype,
    bytesPerValue: type.bytes,
    bigEndian: descr[1] === '>',
    dims,
    offset: 8 + lengthBytes.byteLength + length,
  };
}

export async function readNpyHeader(path: string): Promise<ArrayHeader> {
  const file = await seeFile(path);
  const name = basename(path);
  const stream = await ByteStream.open(file);
  try {
    const facts = await readNpyFacts(stream, name);
    const header: ArrayHeader = { format: 'npy', name, file, ...facts, open: (at) => ByteStream.open(file, at) };
    checkHeader(header);
    const announced = facts.offset + facts.dims.reduce((product, dim) => product * dim, facts.bytesPerValue);
    await holdsAnnounced(file, announced, `${facts.dims.join('×')} values`);
    return header;
  } finally {
    await stream.close();
  }
}

export async function openNpy(request: SourceRequest): Promise<Source> {
  return arraySource(await readNpyHeader(request.path));
}
