// Small dataset files for tests, made in a temporary folder.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type Refusal, Refused } from '../../../src/contract/words/refusal';
import type { Batch, Dataset, InputPort } from '../../../src/engine/data/index';
import { encodeNpy } from '../../../src/engine/data/npy-file';

/** Writes files by relative path; strings as UTF-8, other values as JSON. The folder goes when the scope ends. */
export async function folderWith(
  files: Record<string, Uint8Array | string | object>,
): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'lathe-data-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    const isRaw = typeof content === 'string' || content instanceof Uint8Array;
    await writeFile(join(path, name), isRaw ? content : JSON.stringify(content));
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** IDX of bytes. */
export function idx(dims: readonly number[], data: ArrayLike<number>): Uint8Array {
  const header = Buffer.alloc(4 + dims.length * 4);
  header.set([0, 0, 8, dims.length]);
  for (const [axis, dim] of dims.entries()) header.writeUInt32BE(dim, 4 + axis * 4);
  return Buffer.concat([header, Uint8Array.from(data)]);
}

export function npy(dims: readonly number[], data: readonly number[]): Uint8Array {
  return encodeNpy({ dtype: 'float32', dims, data: Float32Array.from(data) });
}

export function input(shape: InputPort['shape'], dtype = 'float32', name = 'x'): InputPort {
  return { name, dtype, shape };
}

export async function everyBatch(
  dataset: Dataset,
  port: InputPort,
  batch = 2,
  split: 'train' | 'test' = 'test',
): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const one of dataset.batches(split, [port], { batch })) batches.push(one);
  return batches;
}

/** All values fed to the input x, and the labels. */
export async function contentOf(dataset: Dataset, port: InputPort, split: 'train' | 'test' = 'test') {
  const batches = await everyBatch(dataset, port, 2, split);
  return {
    values: batches.flatMap((one) => Array.from(one.feeds[port.name]!.data as ArrayLike<number>)),
    labels: batches.flatMap((one) => Array.from(one.labels ?? [])),
    dims: batches[0]!.feeds[port.name]!.dims,
  };
}

export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => null,
    (cause: unknown) => cause,
  );
  expect(error, 'should have been refused').toBeInstanceOf(Refused);
  return (error as Refused).refusal;
}
