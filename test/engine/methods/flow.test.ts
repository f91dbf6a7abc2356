// Samples that pass through a model piece by piece: the same values as in one piece, held in memory or in files, and nothing left behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openKernels } from '../../../src/engine/kernels';
import { openCalibration } from '../../../src/engine/measure/calibration';
import { Flow } from '../../../src/engine/methods/cutting/flow';
import { Held } from '../../../src/engine/methods/cutting/held';
import { inputsOf, openSubject } from '../../../src/engine/open';
import type { FeedData } from '../../../src/engine/runtime/session';
import { openTaps } from '../../../src/engine/runtime/taps';
import { hasTestData, testData } from '../../data';
import { storiesModel } from '../../stories';
import { withoutTraining } from './bench';

describe('values of samples', () => {
  it('come back from files as they went', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lathe-held-'));
    const held = new Held(folder, 10);
    const values: [string, FeedData][] = [
      ['float32', Float32Array.of(1.5, -2)],
      ['float32', Float32Array.of(3, 4, 5, 6)],
      ['float32', Float32Array.of(7)],
    ];
    for (const [dtype, data] of values) await held.push('x', { dtype: dtype as 'float32', dims: [data.length], data });
    await held.push('n', { dtype: 'int64', dims: [2], data: BigInt64Array.of(5n, -1n) });
    expect(await readdir(folder)).toHaveLength(2);
    for (const [i, [, data]] of values.entries()) expect((await held.read('x', i)).data).toEqual(data);
    expect(await held.read('n', 0)).toEqual({ dtype: 'int64', dims: [2], data: BigInt64Array.of(5n, -1n) });
    await held.close();
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(!hasTestData)('a flow', () => {
  it('computes what the whole model computes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lathe-flow-'));
    const opened = await openSubject(storiesModel);
    const { model, sites } = opened.subject;
    const path = testData('models/stories260K/selfgen_ids.json');
    const calibration = await openCalibration({ path }, inputsOf(opened));
    const kernels = await openKernels();
    const { signal } = new AbortController();
    const names = [...new Set(sites.filter(({ op }) => op === 'MatMul').map(({ node }) => node.inputs[0]!))];
    const whole = await openTaps(model, names, folder);
    const flow = await Flow.open(
      { calibration, declared: new Map(), folder, kernels, signal, tell() {}, ...withoutTraining },
      { samples: 3 },
    );
    try {
      const expected: Map<string, { data: unknown }>[] = [];
      for await (const feeds of calibration.batches(3)) expected.push(await whole.run(feeds));
      for (const [i, name] of names.entries()) {
        let seen = 0;
        await flow.visit(model, name, names.slice(i + 1), (feed, sample) => {
          expect(feed.data).toEqual(expected[sample]!.get(name)!.data);
          seen++;
        });
        expect(seen).toBe(3);
      }
    } finally {
      await flow.close();
      await whole.close();
      await kernels.close();
    }
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
