// Device profiles are complete and honest data; the footprint and its verdict follow from the model alone.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { device as schema } from '../../../src/contract/words/device';
import { footprintOf } from '../../../src/engine/devices/footprint';
import { devices } from '../../../src/engine/devices/index';
import { fit as fitOn, size, verdict } from '../../../src/engine/fit';
import { floatTensor } from '../../../src/engine/graph/tensor';
import type { Work } from '../../../src/engine/tasks';
import { refusalOf } from '../data/files';
import { model, node, value } from '../models';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };
const sample = join(import.meta.dirname, '../../../resources/sample/shapes.onnx');

describe('profiles', () => {
  it('are listed, each in a file of its name', () => {
    const rooms = ['device.ts', 'footprint.ts', 'index.ts'];
    const files = readdirSync(join(import.meta.dirname, '../../../src/engine/devices')).filter(
      (name) => !rooms.includes(name),
    );
    expect(devices.map((one) => `${one.id}.ts`).sort()).toEqual(files.sort());
  });

  it.each(devices)('$id says where every figure is from', (one) => {
    expect(schema.parse(one)).toEqual(one);
    expect(one.usableBytes).toBeLessThan(one.memoryBytes);
    for (const figure of one.figures) {
      expect(figure.source.length).toBeGreaterThan(3);
      // What is not known is null, and never called measured or published.
      if (figure.value === null) expect(figure.certainty).toBe('unsure');
    }
    expect(new Set(one.figures.map((figure) => figure.name)).size).toBe(one.figures.length);
  });
});

describe('footprint', () => {
  /** x [n,4] → a [n,100] → b [n,100] → y [n,2], all float32. */
  const chain = model({
    inputs: [value('x', 'float32', ['n', 4])],
    outputs: [value('y', 'float32', ['n', 2])],
    nodes: [node('MatMul', ['x', 'u'], ['a']), node('Relu', ['a'], ['b']), node('MatMul', ['b', 'v'], ['y'])],
    initializers: [
      floatTensor('u', [4, 100], new Float32Array(400)),
      floatTensor('v', [100, 2], new Float32Array(200)),
    ],
  });

  it('counts weights, the most values alive at once at batch 1, and the runtime', async () => {
    const { footprint, unknownValues } = await footprintOf(chain);
    expect(footprint.weights).toBe(2400);
    // While Relu runs, a and b are alive; x is done.
    expect(footprint.activations).toBe(800);
    expect(footprint.kvCache).toBe(0);
    expect(footprint.total).toBe(footprint.weights + footprint.activations + footprint.runtime);
    expect(unknownValues).toBe(0);
  });

  it('gives verdicts at the borders', () => {
    expect([verdict(85, 100), verdict(86, 100), verdict(100, 100), verdict(101, 100)]).toEqual([
      'yes',
      'tight',
      'tight',
      'no',
    ]);
    expect([size(0), size(999), size(44_660_000), size(7.43e9)]).toEqual([
      '0\u202fB',
      '999\u202fB',
      '44.7\u202fMB',
      '7.43\u202fGB',
    ]);
  });

  it('says it in a sentence', async () => {
    const document = await fitOn({ path: sample, device: 'raspberry-pi-5' }, quiet);
    expect(document.fits).toBe('yes');
    expect(document.sentence).toBe('shapes.onnx fits the Raspberry Pi 5, with 7.43\u202fGB to spare.');
    expect(await refusalOf(fitOn({ path: sample, device: 'toaster' }, quiet))).toMatchObject({
      code: 'not-found',
      mend: 'Known are raspberry-pi-5, generic-laptop.',
    });
  });
});
