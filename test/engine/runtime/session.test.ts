// Sessions, failures and what the runtime fuses, on tiny models.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode, open, write } from '../../../src/engine/formats/onnx';
import { inferShapes } from '../../../src/engine/graph/shapes';
import { openKernels } from '../../../src/engine/kernels';
import { readFusedByBlock } from '../../../src/engine/runtime/excerpt';
import { Failure, runtimeReason } from '../../../src/engine/runtime/failure';
import { cpuFeatures, onnxruntimeVersion, physicalCores } from '../../../src/engine/runtime/machine';
import { countIntegerOperators, readFused } from '../../../src/engine/runtime/optimise';
import { openSession } from '../../../src/engine/runtime/session';
import { runtimeSpeed } from '../../../src/engine/runtime/speed';
import { feedsOf, subjects, withCut } from '../methods/bench';
import { model, node, tinyMlp, value } from '../models';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-runtime-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a session', () => {
  test('tells its ports and answers', async () => {
    const session = await openSession(await encode(tinyMlp()), { threads: 1 });
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 64] }]);
    const { y } = await session.run(feedsOf(tinyMlp()));
    expect([y!.dtype, y!.dims]).toEqual(['float32', [3, 10]]);
    await session.close();
  });

  test('takes and gives float16 as bit patterns, and bool as bytes', async () => {
    const both = model({
      inputs: [value('h', 'float16', [2]), value('b', 'bool', [2])],
      outputs: [value('h2', 'float16', [2]), value('n', 'bool', [2])],
      nodes: [node('Neg', ['h'], ['h2']), node('Not', ['b'], ['n'])],
    });
    const session = await openSession(await encode(both));
    const { h2, n } = await session.run({
      h: { dtype: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0x4000) },
      b: { dtype: 'bool', dims: [2], data: Uint8Array.of(0, 1) },
    });
    expect(h2!.data).toEqual(Uint16Array.of(0xbc00, 0xc000));
    expect(n!.data).toEqual(Uint8Array.of(1, 0));
    await session.close();
  });

  test('that does not open is a failure which says what was being done', async () => {
    const path = join(folder, 'broken.onnx');
    await writeFile(path, 'not a model');
    const failure = await openSession(path, { doing: 'loading the parent' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ doing: 'loading the parent', before: [] });
    expect((failure as Failure).sentence).toMatch(/^The runtime does not load this model: /);
  });

  test('that stops while running is a failure', async () => {
    const session = await openSession(await encode(tinyMlp()));
    const x = { dtype: 'float32', dims: [1, 3], data: new Float32Array(3) } as const;
    await expect(session.run({ x })).rejects.toMatchObject({ name: 'Failure', doing: 'running the model' });
    await session.close();
  });

  test('never loads bytes that point outside', async () => {
    const [file] = await write(tinyMlp(), { folder: join(folder, 'outside'), file: 'm.onnx', external: 'always' });
    const { readFile } = await import('node:fs/promises');
    const bytes = await readFile(join(folder, 'outside', file!));
    await expect(openSession(bytes)).rejects.toThrow('A model with external data is loaded from its file');
    await (await openSession(join(folder, 'outside', file!))).close();
  });

  test('an output the binding cannot hand back is refused before it ends the process', async () => {
    const int4 = model({
      inputs: [value('x', 'float32', [2])],
      outputs: [value('y', 'int4', [2])],
      nodes: [node('Cast', ['x'], ['y'], { to: 22 })],
    });
    const session = await openSession(await encode(int4));
    const x = { dtype: 'float32', dims: [2], data: new Float32Array(2) } as const;
    await expect(session.run({ x })).rejects.toThrow('The output "y" is int4, which the runtime cannot hand back.');
    await session.close();
  });
});

test('what fuses is read from the optimised graph, which is then gone; from excerpts the same', async () => {
  const kernels = await openKernels({ threads: 1, worker: null });
  const expected = {
    'tiny-mlp': { 'com.microsoft:DynamicQuantizeMatMul': 2 },
    'tiny-lm': { 'com.microsoft:DynamicQuantizeMatMul': 2, 'com.microsoft:GatherBlockQuantized': 1 },
    'tiny-lstm': { 'com.microsoft:DynamicQuantizeLSTM': 2 },
  } as const;
  for (const [name, counts] of Object.entries(expected)) {
    const original = subjects[name]!();
    await withCut(kernels, original, [{ method: 'int8-dynamic' }], async ({ taken }) => {
      const place = join(folder, name);
      const [file] = await write(taken.subject.model, { folder: place, file: 'm.onnx' });
      expect(await readFused(join(place, file!), place)).toEqual(counts);
      const { model: read } = await open(join(place, file!));
      expect(await readFusedByBlock(read, await inferShapes(read), place)).toEqual(counts);
      expect(await readdir(place)).toEqual(['m.onnx']);
      if (name === 'tiny-mlp') expect(countIntegerOperators(read)).toEqual({ MatMulInteger: 2 });
    });
  }
  await kernels.close();
});

test('the machine is described, and its speed is measured', async () => {
  const info = ['physical id : 0', 'core id : 0', '', 'physical id : 0', 'core id : 0'].join('\n');
  expect(physicalCores(info)).toBe(1);
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
  expect(cpuFeatures('flags : sse4_1 avx2 xyz')).toEqual(['sse4_1', 'avx2']);
  expect(onnxruntimeVersion()).toMatch(/^1\.\d+\.\d+$/);
  const speed = await runtimeSpeed();
  for (const figure of Object.values(speed)) expect(figure).toBeGreaterThanOrEqual(0);
  expect(speed.macsPerSecond).toBeGreaterThan(1e8);
});

test('the runtime’s words lose its source paths', () => {
  const words = new Error('Load failed: /onnxruntime_src/core/graph/model.cc:179  bad\nthing');
  expect(runtimeReason(words)).toBe('Load failed: bad thing');
});
