// The SIMD kernels of the searching roundings against their plain references: the same bits, or the last digits where products are fused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rules } from '../../../src/engine/kernels/kernel-set';
import { clipLoss, clippedScale, clipSteps, power24 } from '../../../src/engine/kernels/reference/clip';
import { tileCount, tileSide } from '../../../src/engine/kernels/reference/factor';
import { groupRange, groupScale } from '../../../src/engine/kernels/reference/quantize';
import { bell, both, bytesAt, floatsAt, memory, plain, randoms, region, simd } from './memory';

const input = region(0);
const [second, third, fourth, fifth, sixth] = [2, 3, 4, 5, 6].map(region) as [number, number, number, number, number];
const doublesAt = (at: number, length: number) => new Float64Array(memory.buffer, at, length);

/** Lines of groups, with weights of any size. */
const layouts = fc.record({
  lines: fc.integer({ min: 1, max: 5 }),
  line: fc.integer({ min: 1, max: 600 }),
  group: fc.constantFrom(1, 3, 16, 32, 37, 64, 300, 600),
  bits: fc.constantFrom(2, 4, 8),
  scale: fc.constantFrom(1e-30, 1e-3, 0.02, 0.4, 1e10),
  seed: fc.integer(),
});

describe('clipped ranges', () => {
  it('|x|^2.4 is right to five digits', () => {
    for (let x = 1e-6; x < 300; x *= 1.01) {
      expect(power24(Math.fround(x)) / Math.fround(x) ** 2.4).toBeCloseTo(1, 4);
      expect(power24(-Math.fround(x))).toBe(power24(Math.fround(x)));
    }
    expect(power24(0)).toBe(0);
  });

  it('the search that ends early finds what the whole search finds', () => {
    for (let seed = 1; seed < 60; seed++) {
      const bits = ([2, 4, 8] as const)[seed % 3]!;
      const rule = (['signed-max', 'restricted', 'asymmetric'] as const)[Math.floor(seed / 3) % 3]!;
      const weights = bell(64, seed);
      weights[seed % 64]! *= 1 + (seed % 5);
      const { low, high } = groupRange(weights);
      const found = groupScale(low, high, { bits, rule });
      const reciprocal = Math.fround(1 / found.scale);
      const units = weights.map((w) => w * reciprocal);
      for (const loudness of [null, bell(64, seed + 1).map((h) => h * h)]) {
        const losses = Array.from({ length: clipSteps }, (_, step) =>
          clipLoss(units, Math.fround(1 - step / 100), found.zero, 2 ** bits - 1, loudness),
        );
        const best = Math.fround(1 - losses.indexOf(Math.min(...losses)) / 100);
        expect(clippedScale(weights, found, bits, loudness)).toBe(Math.fround(found.scale * best));
      }
    }
  });

  it('scales', () => {
    fc.assert(
      fc.property(
        layouts,
        fc.constantFrom(0, 1, 2),
        fc.boolean(),
        ({ lines, line, group, bits, scale, seed }, rule, isLoud) => {
          const groups = lines * Math.ceil(line / group);
          floatsAt(input, lines * line).set(bell(lines * line, seed, scale));
          const loudness = isLoud ? sixth : 0;
          floatsAt(sixth, line).set(bell(line, seed + 1).map((h) => h * h));
          plain.quantizeGroups(third, fourth, second, fifth, input, lines, line, group, 0, bits, rule);
          const before = floatsAt(fourth, groups).slice();
          const { simd: fast, plain: slow } = both(groups * 4, (kernels, out) => {
            floatsAt(out, groups).set(before);
            kernels.clipScales(out, second, input, loudness, lines, line, group, bits, third);
          });
          expect(fast.bytes.equals(slow.bytes)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('quantizing with given scales is quantizing with its own where these are given', () => {
    floatsAt(input, 640).set(bell(640, 3));
    for (const kernels of [simd, plain]) {
      doublesAt(fifth, 3).fill(0);
      kernels.quantizeGroups(third, second, fourth, fifth, input, 10, 64, 32, 0, 4, rules.asymmetric);
      const own = Buffer.from(bytesAt(third, 640));
      const loss = doublesAt(fifth, 3).slice();
      doublesAt(fifth, 3).fill(0);
      kernels.quantizeGroups(third, second, fourth, fifth, input, 10, 64, 32, 0, 4, rules.given);
      expect(Buffer.from(bytesAt(third, 640)).equals(own)).toBe(true);
      expect(doublesAt(fifth, 3)).toEqual(loss);
    }
  });
});

describe('half-quadratic zero points', () => {
  it('codes, scales, zeros and loss, wherever the short way is taken', () => {
    let taken = 0;
    fc.assert(
      fc.property(layouts, fc.boolean(), ({ lines, line, group, bits, scale, seed }, pads) => {
        const groups = lines * Math.ceil(line / group);
        const padded = pads ? group + (group % 2) : 0;
        const codes = padded === 0 ? lines * line : groups * padded;
        floatsAt(input, lines * line).set(bell(lines * line, seed, scale));
        const { simd: fast, plain: slow } = both(24 + groups * 8 + codes + 64, (kernels, out) => {
          doublesAt(out, 3).fill(0);
          const [scales, zeros] = [out + 24, out + 24 + groups * 4];
          return kernels.hqqGroups(out + 24 + groups * 8, scales, zeros, out, input, lines, line, group, padded, bits);
        });
        if (fast.answer === 0) return;
        taken++;
        expect(fast.bytes.equals(slow.bytes)).toBe(true);
      }),
    );
    expect(taken).toBeGreaterThan(30);
  });

  it('weights again', () => {
    floatsAt(second, 9).set([0.5, -1, 2, 0.25, 3, 1e-3, 7, 8, 9]);
    floatsAt(third, 9).set([7.5, 8.25, 0, -3.125, 15.5, 4, 1, 2, 3]);
    bytesAt(input, 3 * 3 * 34).set(Uint8Array.from({ length: 3 * 3 * 34 }, (_, i) => i & 15));
    const { simd: fast, plain: slow } = both(3 * 70 * 4, (kernels, out) =>
      kernels.reconstructFloats(out, input, second, third, 3, 70, 33, 34),
    );
    expect(fast.bytes.equals(slow.bytes)).toBe(true);
  });
});

/** A positive tile, and one below it in the same matrix. */
function tiles(seed: number) {
  const next = randoms(seed);
  const root = Float64Array.from({ length: tileCount }, () => next() - 0.5);
  const tile = new Float64Array(tileCount);
  for (let i = 0; i < tileSide; i++)
    for (let j = 0; j < tileSide; j++)
      for (let k = 0; k < tileSide; k++) tile[i * tileSide + j]! += root[i * tileSide + k]! * root[j * tileSide + k]!;
  for (let i = 0; i < tileSide; i++) tile[i * tileSide + i]! += 0.5;
  return { tile, other: Float64Array.from({ length: tileCount }, () => next() - 0.5) };
}

describe('factors', () => {
  const { tile, other } = tiles(5);

  it('of a tile, and the inverse: L·Lᵀ is the tile, L·L⁻¹ is one', () => {
    const { simd: fast, plain: slow } = both(tileCount * 16, (kernels, out) => {
      doublesAt(out, tileCount).set(tile);
      const answer = kernels.factorTile(out);
      kernels.invertTile(out + tileCount * 8, out);
      return answer;
    });
    expect(fast.answer).toBe(0);
    expect(fast.bytes.equals(slow.bytes)).toBe(true);
    const [l, inverse] = [doublesAt(region(10), tileCount), doublesAt(region(10) + tileCount * 8, tileCount)];
    for (let i = 0; i < tileSide; i++) {
      for (let j = 0; j < tileSide; j++) {
        let back = 0;
        let one = 0;
        for (let k = 0; k < tileSide; k++) {
          back += l[i * tileSide + k]! * l[j * tileSide + k]!;
          one += l[i * tileSide + k]! * inverse[k * tileSide + j]!;
        }
        expect(Math.abs(back - tile[i * tileSide + j]!)).toBeLessThan(1e-12);
        expect(Math.abs(one - (i === j ? 1 : 0))).toBeLessThan(1e-10);
      }
    }
  });

  it('says which row is not positive', () => {
    for (const [row, value] of [
      [0, 0],
      [77, -1],
      [127, Number.NaN],
    ] as const) {
      const { simd: fast, plain: slow } = both(0, (kernels) => {
        doublesAt(input, tileCount).set(tile);
        doublesAt(input, tileCount)[row * tileSide + row] = value;
        return kernels.factorTile(input);
      });
      expect([fast.answer, slow.answer]).toEqual([row + 1, row + 1]);
    }
  });

  it('products of tiles to twelve digits', () => {
    const near = (call: (kernels: typeof simd, out: number) => void) => {
      both(tileCount * 8, (kernels, out) => {
        doublesAt(out, tileCount).set(other);
        doublesAt(second, tileCount).set(tile);
        call(kernels, out);
      });
      const [fast, slow] = [doublesAt(region(10), tileCount), doublesAt(region(11), tileCount)];
      for (let i = 0; i < tileCount; i++) expect(Math.abs(fast[i]! - slow[i]!)).toBeLessThan(1e-11);
    };
    near((kernels, out) => kernels.subtractProduct(out, second, second, third));
    near((kernels, out) => kernels.multiplyBy(out, second, third));
  });

  it('made ready for rounding', () => {
    doublesAt(second, tileSide).set(Float64Array.from({ length: tileSide }, (_, i) => 1 + i / 7));
    for (const panels of [0, 1]) {
      const { simd: fast, plain: slow } = both(tileCount * 4, (kernels, out) => {
        doublesAt(input, tileCount).set(other);
        kernels.unitTile(input, second, panels, third);
        bytesAt(out, tileCount * 4).set(bytesAt(input, tileCount * 4));
      });
      expect(fast.bytes.equals(slow.bytes)).toBe(true);
    }
  });
});

describe('feedback', () => {
  it('weights to their places', () => {
    floatsAt(input, 5 * 70).set(bell(350, 1));
    new Int32Array(memory.buffer, second, 128).set(
      Int32Array.from({ length: 128 }, (_, p) => (p < 70 ? (p * 11) % 70 : -1)),
    );
    const { simd: fast, plain: slow } = both(5 * 144 * 4, (kernels, out) =>
      kernels.gatherPlaces(out, input, second, 5, 70, 144, 128),
    );
    expect(fast.bytes.equals(slow.bytes)).toBe(true);
  });

  it('what later tiles lost, to six digits', () => {
    floatsAt(second, 12 * tileSide).set(bell(12 * tileSide, 2));
    floatsAt(third, tileCount).set(bell(tileCount, 3, 1));
    both(12 * tileSide * 4, (kernels, out) => {
      floatsAt(out, 12 * tileSide).set(bell(12 * tileSide, 4, 1));
      kernels.feedBack(out, second, third, 12);
    });
    const [fast, slow] = [floatsAt(region(10), 12 * tileSide), floatsAt(region(11), 12 * tileSide)];
    for (let i = 0; i < fast.length; i++) expect(Math.abs(fast[i]! - slow[i]!)).toBeLessThan(1e-6);
  });

  it.each([1, 4, 7])('rounding the places of a tile, %i lines', (lines) => {
    const groups = 5;
    const unit = bell(tileCount, 5, 0.5).map((u, i) => (i % tileSide < Math.floor(i / tileSide) ? u : 0));
    floatsAt(second, tileCount).set(unit);
    floatsAt(third, lines * 400).set(bell(lines * 400, 6, 1));
    doublesAt(fourth, 256).set(Float64Array.from({ length: 256 }, (_, p) => 1 + p / 10));
    const grid = floatsAt(fifth, lines * 3 * groups);
    for (let n = 0; n < lines; n++)
      for (let g = 0; g < groups; g++) {
        const scale = g === 4 ? 0 : 0.1 + (n + g) / 50;
        const at = n * 3 * groups + g;
        grid[at] = scale;
        grid[at + groups] = scale === 0 ? 0 : 1 / scale;
        grid[at + 2 * groups] = g === 4 ? 0 : 7 + (g % 2);
      }
    const [groupOf, codeOf] = [region(6), region(6) + 4096];
    new Int32Array(memory.buffer, groupOf, 256).set(Int32Array.from({ length: 256 }, (_, p) => (p > 250 ? 4 : p % 4)));
    new Int32Array(memory.buffer, codeOf, 256).set(
      Int32Array.from({ length: 256 }, (_, p) => (p > 250 ? -1 : 250 - p)),
    );
    const padded = Math.ceil(lines / 4) * 4;
    const { simd: fast, plain: slow } = both((padded * tileSide * 2 + lines * 64) * 4, (kernels, out) => {
      const current = out + padded * tileSide * 4;
      floatsAt(current, lines * tileSide).set(bell(lines * tileSide, 7, 1));
      const codes = current + padded * tileSide * 4;
      return kernels.roundPlaces(
        ...([
          codes,
          256,
          out,
          current,
          third,
          400,
          second,
          fourth,
          lines,
          128,
          fifth,
          groups,
          groupOf,
          codeOf,
          15,
        ] as const),
      );
    });
    // Sums over lines and over places are nested differently: the last digits may differ.
    expect((fast.answer as number) / (slow.answer as number)).toBeCloseTo(1, 12);
    expect(fast.bytes.equals(slow.bytes)).toBe(true);
  });

  it('sums of inputs, to six digits, zero beyond the columns', () => {
    floatsAt(input, 90 * 200).set(bell(90 * 200, 8, 1));
    both(tileCount * 4, (kernels, out) => kernels.multiplyInputs(out, input, 200, 90, 128, 0, second));
    const [fast, slow] = [floatsAt(region(10), tileCount), floatsAt(region(11), tileCount)];
    for (let i = 0; i < tileCount; i++) expect(Math.abs(fast[i]! - slow[i]!)).toBeLessThan(1e-4);
    expect(fast.subarray(72 * tileSide).every((sum) => sum === 0)).toBe(true);
  });
});
