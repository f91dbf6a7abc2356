// CIFAR-10's binary batches. A record: label byte | 1,024 red | 1,024 green | 1,024 blue, rows of a 32 × 32 picture.
import { glob } from 'node:fs/promises';
import { basename } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import type { SeenFile } from '../../tasks';
import { ByteStream, mostSamples, seeFile } from '../bytes';
import { channelsLast } from './array';
import type { Labels, Source, SourceRequest } from './source';

export const recordBytes = 1 + 3 * 32 * 32;
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

export async function openCifar10(request: SourceRequest): Promise<Source> {
  const files = await filesOf(request.path);
  let samples = 0;
  for (const file of files) {
    if (file.bytes === 0 || file.bytes % recordBytes !== 0) {
      const name = basename(file.path);
      refuse(
        'bad-dataset',
        `${name} has ${file.bytes} bytes, which is not a whole number of 3,073-byte records.`,
        'Fetch it again.',
      );
    }
    samples += file.bytes / recordBytes;
  }
  if (samples > mostSamples) refuse('bad-dataset', `${basename(request.path)} holds more samples than are read here.`);

  return {
    format: 'cifar10-binary',
    files,
    samples,
    shape: { kind: 'picture', width: 32, height: 32, channels: 3, layout: 'NCHW', bytes: true },
    dtype: 'uint8',
    labels: await readLabels(files, samples),
    notes: [],
    async *read(from) {
      for await (const record of records(files, from)) {
        const data = channelsLast(record.subarray(1), 3, 32 * 32);
        yield { kind: 'picture', width: 32, height: 32, channels: 3, data };
      }
    },
  };
}

/** One file, or those that a `*` in the last name matches, by name. */
async function filesOf(path: string): Promise<SeenFile[]> {
  if (!basename(path).includes('*')) return [await seeFile(path)];
  const paths: string[] = [];
  for await (const found of glob(path)) paths.push(found);
  if (paths.length === 0) refuse('not-found', `No file matches ${path}.`);
  return Promise.all(paths.sort().map(seeFile));
}

async function* records(files: readonly SeenFile[], from: number): AsyncGenerator<Uint8Array> {
  let before = 0;
  for (const file of files) {
    const count = file.bytes / recordBytes;
    const first = Math.max(0, from - before);
    before += count;
    if (first >= count) continue;
    const stream = await ByteStream.open(file, first * recordBytes);
    try {
      for (let i = first; i < count; i++) yield await stream.read(recordBytes);
    } finally {
      await stream.close();
    }
  }
}

async function readLabels(files: readonly SeenFile[], samples: number): Promise<Labels> {
  const classes = new Int32Array(samples);
  let i = 0;
  for await (const record of records(files, 0)) {
    if (record[0]! > 9) refuse('bad-dataset', `Record ${i} says class ${record[0]}; CIFAR-10 has classes 0 to 9.`);
    classes[i++] = record[0]!;
  }
  return { files: [], count: samples, classes, numbers: null, names: classNames };
}
