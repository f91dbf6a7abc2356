// IDX (MNIST's format), plain or gzipped. Bytes: 0 0 type rank | rank × uint32 big-endian | numbers, big-endian.
import { basename } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { DataType } from '../../graph/graph';
import { ByteStream, holdsAnnounced, seeFile } from '../bytes';
import { type ArrayHeader, arraySource, checkHeader } from './array';
import type { Source, SourceRequest } from './source';

const types: Record<number, { dtype: DataType; bytes: number }> = {
  8: { dtype: 'uint8', bytes: 1 },
  9: { dtype: 'int8', bytes: 1 },
  11: { dtype: 'int16', bytes: 2 },
  12: { dtype: 'int32', bytes: 4 },
  13: { dtype: 'float32', bytes: 4 },
  14: { dtype: 'float64', bytes: 8 },
};

export async function readIdxHeader(path: string): Promise<ArrayHeader> {
  const file = await seeFile(path);
  const name = basename(path);
  const stream = await ByteStream.open(file);
  try {
    const magic = await stream.upTo(4);
    const type = types[magic[2] ?? -1];
    const rank = magic[3] ?? 0;
    if (magic.byteLength < 4 || magic[0] !== 0 || magic[1] !== 0 || !type || rank === 0) {
      refuse('bad-dataset', `${name} is not an IDX file: it does not begin with 0 0 type rank.`);
    }
    const dims = new DataView((await stream.read(rank * 4)).slice().buffer);
    const header: ArrayHeader = {
      format: 'idx',
      name,
      file,
      dtype: type.dtype,
      bytesPerValue: type.bytes,
      bigEndian: true,
      dims: Array.from({ length: rank }, (_, axis) => dims.getUint32(axis * 4)),
      offset: 4 + rank * 4,
      open: (at) => ByteStream.open(file, at),
    };
    checkHeader(header);
    const announced = header.dims.reduce((product, dim) => product * dim, type.bytes);
    await holdsAnnounced(file, announced, `${header.dims.join('×')} values`);
    return header;
  } finally {
    await stream.close();
  }
}

export async function openIdx(request: SourceRequest): Promise<Source> {
  return arraySource(await readIdxHeader(request.path));
}
