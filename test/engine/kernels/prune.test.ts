// Pruning: SIMD kernels give the bits of their plain twins; thresholds are those of a full sort, ties, zeros and all.
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { keepMasked, maskAbove, maskTwoOfFour } from '../../../src/engine/kernels/reference/prune';
import { bell, both, bytesAt, floatsAt, randoms, region } from './memory';
import { floatTensor, inFile } from './tensors';

const input = region(0);
const bitsOf = (value: number) => new Int32Array(Float32Array.of(value).buffer)[0]!;

/** Every float there is, and many equal ones. */
const weightsOf = fc.oneof(
  fc.array(fc.float(), { maxLength: 200 }).map((values) => Float32Array.from(values)),
  fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer()).map(([n, seed]) => bell(n, seed)),
  fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer()).map(([n, seed]) => {
    const next = randoms(seed);
    return Float32Array.from({ length: n }, () => Math.round(next() * 7 - 4) * 0.5);
  }),
);

describe('kernels', () => {
  it('mask what is above a threshold', () => {
    fc.assert(
      fc.property(weightsOf, fc.constantFrom(-1, 0, bitsOf(0.01), bitsOf(0.5), 0x7f800000, 0x7fffffff), (values, t) => {
        floatsAt(input, values.length).set(values);
        const made = both(values.length, (kernels, out) => kernels.maskAbove(out, input, values.length, t));
        expect(made.simd.bytes.equals(made.plain.bytes)).toBe(true);
        expect(made.simd.answer).toBe(made.plain.answer);
      }),
    );
  });

  it('count magnitudes, all or those that begin alike', () => {
    fc.assert(
      fc.property(weightsOf, fc.nat(1000), (values, pick) => {
        floatsAt(input, values.length).set(values);
        const prefix = values.length > 0 ? (bitsOf(values[pick % values.length]!) & 0x7fffffff) >> 15 : 0;
        for (const [shift, above, begin] of [
          [15, 31, 0],
          [0, 15, prefix],
        ] as const) {
          const made = both(4 * 2 ** (above - shift), (kernels, out) => {
            bytesAt(out, 4 * 2 ** (above - shift)).fill(0);
            kernels.countMagnitudes(out, input, values.length, shift, above, begin);
          });
          expect(made.simd.bytes.equals(made.plain.bytes)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('mask two of four, neighbours or below one another', () => {
    fc.assert(
      fc.property(weightsOf, (values) => {
        const count = values.length - (values.length % 4);
        floatsAt(input, values.length).set(values);
        const beside = both(count, (kernels, out) => kernels.maskNeighbours(out, input, count));
        expect(beside.simd.bytes.equals(beside.plain.bytes)).toBe(true);
        const below = both(count, (kernels, out) => kernels.maskBelow(out, input, count / 4));
        expect(below.simd.bytes.equals(below.plain.bytes)).toBe(true);
        const kept = below.simd.bytes.subarray(0, count).reduce((sum, byte) => sum + byte, 0);
        expect(kept).toBe(count / 2);
      }),
    );
  });

  it('keep what is masked', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.constantFrom(2, 4), fc.integer(), (count, bytes, seed) => {
        const next = randoms(seed);
        bytesAt(input, count * bytes).set(Uint8Array.from({ length: count * bytes }, () => next() * 256));
        const mask = region(4);
        bytesAt(mask, count).set(Uint8Array.from({ length: count }, () => (next() < 0.5 ? 1 : 0)));
        const made = both(count * bytes, (kernels, out) => kernels.keepMasked(out, input, mask, count, bytes));
        expect(made.simd.bytes.equals(made.plain.bytes)).toBe(true);
      }),
    );
  });
});

describe('tensors', () => {
  let kernels: Kernels;
  const opened = async () => (kernels ??= await openKernels({ worker: null }));
  afterAll(() => kernels?.close());

  /** Magnitudes as float32, greatest first. */
  const sorted = (...all: Float32Array[]) =>
    Float32Array.from(all.flatMap((values) => [...values].map(Math.abs)))
      .sort()
      .reverse();

  it.each([
    { name: 'a bell', values: bell(300_001, 3) },
    { name: 'mostly zeros', values: bell(300_001, 5).map((w, i) => (i % 10 === 0 ? w : 0)) },
    { name: 'few values', values: bell(300_001, 7).map((w) => Math.round(w * 100) / 4) },
    { name: 'all equal', values: new Float32Array(1000).fill(-0.25) },
  ])('the threshold of $name is that of a sort, and as many stay as were asked for', async ({ values }) => {
    const { threshold, mask } = await opened();
    const order = sorted(values);
    const tensor = inFile(floatTensor(values, [values.length]));
    for (const share of [0.001, 0.05, 0.5, 0.95]) {
      const keep = Math.round(values.length * share);
      const found = await threshold([tensor], keep);
      expect(found.value).toBe(order[keep - 1]);
      expect(found.above).toBe(order.findIndex((w) => w <= found.value));
      expect(found.equal).toBe(order.filter((w) => w === found.value).length);
      const made = await mask(tensor, { above: found.value, equal: keep - found.above });
      expect(made.kept).toBe(keep);
      expect(made.mask.reduce((sum, byte) => sum + byte, 0)).toBe(keep);
      const plainMask = new Uint8Array(values.length);
      maskAbove(plainMask, values, bitsOf(found.value));
      expect(made.mask.every((byte, i) => byte >= plainMask[i]!)).toBe(true);
    }
  });

  it('finds one threshold for several tensors of several types', async () => {
    const { threshold } = await opened();
    const halves = bell(5000, 9).map((w) => Math.round(w * 4096) / 4096);
    const [a, b] = [bell(70_000, 8), halves];
    const tensors = [floatTensor(a, [a.length]), floatTensor(b, [b.length], 'float16')];
    expect((await threshold(tensors, 30_000)).value).toBe(sorted(a, b)[29_999]);
  });

  it('keeps nothing, or everything', async () => {
    const { threshold, mask } = await opened();
    const values = Float32Array.of(1, Number.NaN, -Infinity, 0, 2);
    const tensor = floatTensor(values, [5]);
    const nothing = await threshold([tensor], 0);
    expect((await mask(tensor, { above: nothing.value })).kept).toBe(0);
    const everything = await threshold([tensor], 5);
    expect((await mask(tensor, { above: everything.value })).kept).toBe(5);
    expect([...(await mask(tensor, { above: 1 })).mask]).toEqual([0, 1, 1, 0, 1]);
  });

  it.each(['rows', 'columns'] as const)('keeps two of four along each channel, stored as %s', async (order) => {
    const { maskTwoOfFour: made, masked } = await opened();
    const [rows, columns] = [1003, 512];
    const values = bell(rows * columns, 13);
    const tensor = inFile(floatTensor(values, order === 'rows' ? [rows, columns] : [columns, rows]));
    const mask = await made(tensor, { rows, columns, order });
    const plainMask = new Uint8Array(rows * columns);
    const apart = order === 'rows' ? 1 : rows;
    maskTwoOfFour(plainMask, values, apart);
    expect(Buffer.from(mask).equals(Buffer.from(plainMask))).toBe(true);
    const bytes = await masked(tensor, mask);
    const wanted = new Uint8Array(bytes.length);
    keepMasked(wanted, new Uint8Array(values.buffer), mask, 4);
    expect(Buffer.from(bytes).equals(Buffer.from(wanted))).toBe(true);
  });

  it.each(['float16', 'bfloat16', 'float64'] as const)('leaves %s weights in their type', async (dtype) => {
    const { masked } = await opened();
    const tensor = floatTensor(Float32Array.of(1, -2, 3, 4), [4], dtype);
    const stored = tensor.data.kind === 'bytes' ? tensor.data.bytes : new Uint8Array();
    const bytes = await masked(tensor, Uint8Array.of(0, 1, 1, 0));
    const size = stored.length / 4;
    expect([...bytes.subarray(size, 3 * size)]).toEqual([...stored.subarray(size, 3 * size)]);
    expect(bytes.subarray(0, size).every((byte) => byte === 0)).toBe(true);
  });
});
