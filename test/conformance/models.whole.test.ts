// Every real model of the test data, read and written, and read, normalised and written: the runtime must not see a difference.
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { open, write } from '../../src/engine/formats/onnx';
import { type DataType, type Dim, dataTypes, elementCount, type Model } from '../../src/engine/graph/graph';
import { normalise } from '../../src/engine/graph/normalise';
import { hasTestData, testData } from '../data';
import { readFeed } from './cases';
import { type Answer, type Feed, type Feeds, RuntimePool } from './runtime-pool';
import { threeWays } from './three-ways';

const paths = hasTestData ? globSync('*/*.onnx', { cwd: testData('models') }).sort() : [];

describe.skipIf(!hasTestData)('real models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-models-'));
  const pool = new RuntimePool(1);
  afterAll(() => {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(paths)('%s gives the same outputs', async (name) => {
    const path = testData(join('models', name));
    const result = await threeWays(pool, 0, path, folder, (model) => goldenFeeds(path, model));
    console.log(
      `${name}: written ${result.written.verdict}, normalised ${result.normalised.verdict}. ${result.notes.join(' ')}`,
    );
    expect(result.original.kind).toBe('outputs');
    expect(result.written).toEqual({ verdict: 'same', why: '' });
    expect(result.normalised.why).toBe('');
    expect(result.problems).toEqual([]);
    expect(result.shapes.wrong).toEqual([]);
    expect(result.opset).toBe(21);
  });

  // A batch that normalise calls free must be: two samples together give what each gives alone.
  it.each(paths)('%s treats the samples of a freed batch apart', async (name) => {
    const { model } = await open(testData(join('models', name)));
    const { model: free, notes } = await normalise(model);
    if (!notes.some((note) => /any batch|really free|free as declared/.test(note))) return;
    const [file] = await write(free, { folder, file: 'free.onnx' });
    const one = randomFeeds(free, 1, 1);
    const two = randomFeeds(free, 1, 2);
    const both = Object.fromEntries(Object.keys(one).map((input) => [input, stack(one[input]!, two[input]!)]));
    const run = (feeds: Feeds): Promise<Answer> => pool.run(0, join(folder, file!), feeds);
    const [a, b, together] = [outputsOf(await run(one)), outputsOf(await run(two)), outputsOf(await run(both))];
    for (const [i, output] of together.entries()) {
      const apart = [...floats(a[i]!.bytes), ...floats(b[i]!.bytes)];
      const joined = floats(output.bytes);
      expect(joined.length).toBe(apart.length);
      const largest = Math.max(...apart.map(Math.abs), 1e-6);
      for (const [k, value] of apart.entries()) expect(Math.abs(joined[k]! - value) / largest).toBeLessThan(1e-4);
    }
  });
});

const floats = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.slice().buffer);

function outputsOf(answer: Answer) {
  if (answer.kind !== 'outputs') throw new Error(answer.kind === 'abort' ? 'the runtime aborted' : answer.message);
  return answer.outputs;
}

function stack(a: Feed, b: Feed): Feed {
  return { dtype: a.dtype, dims: [2, ...a.dims.slice(1)], bytes: new Uint8Array(Buffer.concat([a.bytes!, b.bytes!])) };
}

/** The recorded inputs beside the model, else random ones. */
async function goldenFeeds(path: string, model: Model): Promise<Feeds> {
  const stem = path
    .split('/')
    .at(-1)!
    .replace(/\.onnx$/, '');
  const golden = join(dirname(path), `golden_${stem}`, 'test_data_set_0');
  if (!existsSync(golden)) return randomFeeds(model, 1, 1);
  const feeds: Record<string, Feed> = {};
  const wanted = model.graph.inputs.filter(({ name }) => !model.graph.initializers.has(name));
  for (const file of readdirSync(golden)) {
    const index = /^input_(\d+)\.pb$/.exec(file)?.[1];
    const feed = index ? await readFeed(readFileSync(join(golden, file))) : null;
    if (feed) feeds[wanted[Number(index)]!.name] = feed;
  }
  return feeds;
}

// Symbols by what exporters call them: past and total lengths of language models must fit each other.
function sizeOf(dim: Dim, axis: number, batch: number): number {
  if (typeof dim === 'number') return dim;
  if (axis === 0 || /batch/.test(dim ?? '')) return batch;
  return /total/.test(dim ?? '') ? 8 : 4;
}

function randomFeeds(model: Model, batch: number, seed: number): Record<string, Feed> {
  let state = seed * 2654435761;
  const random = (): number => ((state = (state * 1664525 + 1013904223) >>> 0) >>> 8) / 2 ** 24;
  const feeds: Record<string, Feed> = {};
  for (const { name, type } of model.graph.inputs) {
    if (model.graph.initializers.has(name) || type?.kind !== 'tensor' || !type.shape) continue;
    const dims = type.shape.map((dim, axis) => sizeOf(dim, axis, batch));
    feeds[name] = { dtype: type.dtype!, dims, bytes: randomBytes(type.dtype!, elementCount(dims), random) };
  }
  return feeds;
}

function randomBytes(dtype: DataType, count: number, random: () => number): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(Float32Array.from({ length: count }, () => random() * 2 - 1).buffer);
  const bytes = new Uint8Array((count * dataTypes[dtype].bits) / 8);
  const width = dataTypes[dtype].bits / 8;
  // Small numbers: ids of a vocabulary, bytes of a file.
  for (let i = 0; i < count; i++) bytes[i * width] = Math.floor(random() * 32);
  return bytes;
}
