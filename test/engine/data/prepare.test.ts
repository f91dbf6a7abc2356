// Preparation in the order that is promised, resampling to the bit, and shapes that a model leaves no doubt about.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../src/contract/words/dataset';
import { planInput } from '../../../src/engine/data/adapt';
import { prepare } from '../../../src/engine/data/prepare';
import { cropCentre, resize } from '../../../src/engine/data/resample';
import type { Picture, SampleShape } from '../../../src/engine/data/sources/source';
import { input } from './files';

const line = (values: number[]) => ({ width: values.length, height: 1, channels: 1, data: Uint8Array.from(values) });

function picture(width: number, height: number, channels: number, data: number[]): Picture {
  return { kind: 'picture', width, height, channels, data: Uint8Array.from(data) };
}

function run(sample: Picture, spec: InputSpec, shape: (number | string | null)[]) {
  const known: SampleShape = {
    kind: 'picture',
    width: sample.width,
    height: sample.height,
    channels: sample.channels,
    layout: 'NCHW',
    bytes: true,
  };
  const plan = planInput(known, { '*': spec }, input(shape));
  const { dims, data } = prepare(sample, plan);
  return { dims, data: [...data], notes: plan.notes };
}

describe('resampling', () => {
  it('rounds as Pillow: bilinear up and down, bicubic, nearest', () => {
    expect([...resize(line([0, 255]), 4, 1, 'bilinear', true).data]).toEqual([0, 64, 191, 255]);
    expect([...resize(line([0, 80, 160, 240]), 2, 1, 'bilinear', true).data]).toEqual([57, 183]);
    // Without antialias only the two neighbours of the centre count.
    expect([...resize(line([0, 80, 160, 240]), 2, 1, 'bilinear', false).data]).toEqual([40, 200]);
    expect([...resize(line([0, 80, 160, 240]), 2, 1, 'nearest', true).data]).toEqual([80, 240]);
    // Keys' cubic overshoots and is clipped.
    expect([...resize(line([0, 0, 255, 255]), 8, 1, 'bicubic', true).data].slice(2, 6)).toEqual([0, 52, 203, 255]);
  });

  it('keeps flat pictures flat and stays within the range of bilinear ones', () => {
    const size = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(size, size, size, size, fc.integer({ min: 0, max: 255 }), (w, h, toW, toH, shade) => {
        const flat = { width: w, height: h, channels: 1, data: new Uint8Array(w * h).fill(shade) };
        const out = resize(flat, toW, toH, 'bilinear', true);
        expect([out.width, out.height, ...new Set(out.data)]).toEqual([toW, toH, shade]);
      }),
    );
  });

  it('crops the middle, halves to even', () => {
    expect([...cropCentre(line([1, 2, 3, 4]), 2, 1).data]).toEqual([2, 3]);
    expect([...cropCentre(line([1, 2, 3]), 2, 1).data]).toEqual([1, 2]);
    expect([...cropCentre(line([1, 2, 3, 4, 5]), 2, 1).data]).toEqual([3, 4]);
  });
});

describe('preparation', () => {
  it('scales, subtracts and divides by channel, then lays out', () => {
    const spec = { scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] };
    const rgb = picture(2, 1, 3, [2, 4, 6, 8, 10, 12]);
    expect(run(rgb, { ...spec, layout: 'NCHW' }, ['N', 3, 1, 2])).toMatchObject({
      dims: [3, 1, 2],
      data: [0, 3, 0, 1.5, 0, 0.75],
    });
    expect(run(rgb, { ...spec, layout: 'NHWC' }, ['N', 1, 2, 3])).toMatchObject({
      dims: [1, 2, 3],
      data: [0, 0, 0, 3, 1.5, 0.75],
    });
    expect(run(rgb, { ...spec, colour: 'bgr', layout: 'NHWC' }, ['N', 1, 2, 3]).data).toEqual([
      2, 0, -0.5, 5, 1.5, 0.25,
    ]);
  });

  it('covers, contains and stretches', () => {
    const wide = picture(4, 2, 1, [1, 1, 2, 2, 1, 1, 2, 2]);
    const framed = (fit: 'cover' | 'contain' | 'stretch') =>
      run(wide, { resize: { width: 2, height: 2, fit, filter: 'nearest' } }, ['N', 1, 2, 2]).data;
    expect(framed('cover')).toEqual([1, 2, 1, 2]);
    expect(framed('stretch')).toEqual([1, 2, 1, 2]);
    expect(framed('contain')).toEqual([1, 2, 0, 0]);
  });

  it('takes a reshape with the batch in front or without it', () => {
    const square = picture(2, 2, 1, [1, 2, 3, 4]);
    expect(run(square, { reshape: [1, 4, 1] }, [1, 4, 1]).dims).toEqual([4, 1]);
    expect(run(square, { reshape: [4, 1] }, [1, 4, 1]).dims).toEqual([4, 1]);
    expect(run(square, { reshape: [-1] }, ['N', 4]).dims).toEqual([4]);
    expect(() => run(square, { reshape: [3] }, ['N', 3])).toThrow('do not fill');
  });

  it('follows the shape of the input where that leaves no doubt, and says so', () => {
    const square = picture(2, 2, 1, [1, 2, 3, 4]);
    expect(run(square, {}, ['N', 4])).toMatchObject({
      dims: [4],
      notes: ['Samples of 1×2×2 are fed as 4, the shape of "x".'],
    });
    expect(run(square, {}, [2, 2])).toMatchObject({ dims: [2, 2], notes: [expect.stringContaining('no batch axis')] });
    expect(run(picture(2, 1, 3, [1, 2, 3, 4, 5, 6]), {}, ['N', 1, 2, 3]).data).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => run(square, {}, ['N', 1, 3, 3])).toThrow('"x" takes 1×3×3 and a sample is 1×2×2.');
  });

  it('refuses what makes no sense, with its place', () => {
    const square = picture(2, 2, 1, [1, 2, 3, 4]);
    expect(() => run(square, { mean: [1, 2] }, ['N', 1, 2, 2])).toThrow('mean has 2 numbers');
    expect(() => run(square, { std: [0] }, ['N', 1, 2, 2])).toThrow('divides by nothing');
    expect(() => run(square, { crop: { width: 3, height: 1 } }, ['N', 1, 1, 3])).toThrow(
      'does not fit into pictures of 2×2',
    );
    expect(() => run(square, { dtype: 'uint8' }, ['N', 1, 2, 2])).toThrow('takes float32, not uint8');
  });
});
