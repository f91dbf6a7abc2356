// The ONNX backend tests as they lie in their archive, and tensors as their files hold them.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { noExternalFiles } from '../../src/engine/formats/onnx/external';
import { Budget } from '../../src/engine/formats/onnx/limits';
import { Message } from '../../src/engine/formats/onnx/message';
import { readTensor } from '../../src/engine/formats/onnx/read-tensor';
import { Source } from '../../src/engine/formats/onnx/source';
import type { DataType } from '../../src/engine/graph/graph';
import { readBytes } from '../../src/engine/graph/tensor';
import type { Feed } from './runtime-pool';

export interface Case {
  /** `node/test_abs` */
  readonly name: string;
  readonly model: Uint8Array;
  /** Encoded TensorProtos of the first data set, in the order of the model's inputs. */
  readonly inputs: readonly Uint8Array[];
}

/** Every case of the archive, in its order. */
export function readCases(archive: string): Case[] {
  const found = new Map<string, { model?: Uint8Array; inputs: Uint8Array[] }>();
  for (const { path, bytes } of tarFiles(gunzipSync(readFileSync(archive)))) {
    const [, name, file] = /^(?:\.\/)?([^/]+\/[^/]+)\/(.+)$/.exec(path) ?? [];
    if (!name || !file) continue;
    let entry = found.get(name);
    if (!entry) found.set(name, (entry = { inputs: [] }));
    const input = /^test_data_set_0\/input_(\d+)\.pb$/.exec(file);
    if (file === 'model.onnx') entry.model = bytes;
    else if (input) entry.inputs[Number(input[1])] = bytes;
  }
  return [...found].flatMap(([name, { model, inputs }]) => (model ? [{ name, model, inputs }] : []));
}

/** Ustar: a 512-byte header (name at 0, size in octal at 124, type at 156, prefix at 345), then the bytes, padded to 512. */
function* tarFiles(tar: Buffer): Iterable<{ path: string; bytes: Uint8Array }> {
  const text = (at: number, length: number): string => tar.toString('utf8', at, at + length).replace(/\0.*$/s, '');
  let longName = '';
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = text(at + 156, 1);
    const body = tar.subarray(at + 512, at + 512 + size);
    const prefix = text(at + 345, 155);
    const path = longName || (prefix ? `${prefix}/${text(at, 100)}` : text(at, 100));
    // Names above 100 bytes stand in an entry before: GNU's type L, or a `path=` record of POSIX's type x.
    const record = type === 'x' ? /(?:^|\n)\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1] : undefined;
    longName = type === 'L' ? body.toString('utf8').replace(/\0.*$/s, '') : (record ?? '');
    if (type === '0' || type === '') yield { path, bytes: body };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

// The runtime's Node binding has no arrays for the others.
const feedable: ReadonlySet<DataType> = new Set([
  ...(['float32', 'float64', 'float16', 'bool'] as const),
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'] as const),
]);

/** A TensorProto as the runtime is fed with it; null for what is no tensor (sequences, optionals) or cannot be fed. */
export async function readFeed(bytes: Uint8Array): Promise<Feed | null> {
  try {
    const source = Source.over(bytes, 'input');
    const reading = { source, budget: new Budget('input'), external: noExternalFiles };
    const tensor = readTensor(new Message(reading, 'TensorProto', 0, bytes.length, 0));
    if (tensor.data.kind === 'strings') {
      const text = new TextDecoder();
      return { dtype: 'string', dims: tensor.dims, strings: tensor.data.strings.map((item) => text.decode(item)) };
    }
    if (!feedable.has(tensor.dtype)) return null;
    return { dtype: tensor.dtype, dims: tensor.dims, bytes: new Uint8Array(await readBytes(tensor)) };
  } catch {
    return null;
  }
}
