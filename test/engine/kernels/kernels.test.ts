// Every SIMD kernel against its plain reference: the same bits, whatever the length, the alignment of groups and the values.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rules } from '../../../src/engine/kernels/kernel-set';
import { roundHalfUp } from '../../../src/engine/kernels/reference/quantize';
import { bell, both, bytesAt, floatsAt, memory, plain, randoms, region, simd } from './memory';

const input = region(0);
const second = region(2);
const third = region(4);

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const weightsOf = fc.oneof(
  fc.array(finite, { maxLength: 300 }).map((values) => Float32Array.from(values)),
  fc
    .tuple(fc.integer({ min: 0, max: 3000 }), fc.integer(), fc.constantFrom(1e-38, 1e-6, 0.02, 3, 1e30))
    .map(([n, seed, scale]) => bell(n, seed, scale)),
  // Few values, as in weights that were quantized before.
  fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer()).map(([n, seed]) => {
    const next = randoms(seed);
    return Float32Array.from({ length: n }, () => Math.round(next() * 15 - 8) * 0.0625);
  }),
);

function put(values: Float32Array): number {
  floatsAt(input, values.length).set(values);
  return values.length;
}

describe('conversions', () => {
  it('float16 to float32, all 65,536 codes', () => {
    new Uint16Array(memory.buffer, input, 65536).set(Uint16Array.from({ length: 65536 }, (_, i) => i));
    simd.decodeFloat16(second, input, 65536);
    plain.decodeFloat16(third, input, 65536);
    for (let code = 0; code < 65536; code++) {
      const got = floatsAt(second, 65536)[code]!;
      if (!Object.is(got, floatsAt(third, 65536)[code]!))
        expect(got, `code ${code}`).toBe(floatsAt(third, 65536)[code]);
    }
  });

  it('bfloat16 to float32', () => {
    new Uint16Array(memory.buffer, input, 65536).set(Uint16Array.from({ length: 65536 }, (_, i) => i));
    simd.decodeBfloat16(second, input, 65531);
    plain.decodeBfloat16(third, input, 65531);
    expect(Buffer.from(bytesAt(second, 65531 * 4)).equals(Buffer.from(bytesAt(third, 65531 * 4)))).toBe(true);
  });

  it('float32 to float16 around every code, its midpoint and its neighbours', () => {
    const bits = new Int32Array(memory.buffer, input, 6 * 65536);
    for (let code = 0; code < 65536; code++) {
      new Uint16Array(memory.buffer, second, 2).set([code, (code + 1) & 0xffff]);
      plain.decodeFloat16(third, second, 2);
      const [here, next] = floatsAt(third, 2);
      floatsAt(third, 1)[0] = (here! + next!) / 2;
      const middle = new Int32Array(memory.buffer, third, 2);
      bits.set([middle[0]!, middle[0]! + 1, middle[0]! - 1, middle[1]!, middle[1]! + 1, code << 16], code * 6);
    }
    const { simd: fast, plain: slow } = both(6 * 65536 * 2, (kernels, out) =>
      kernels.encodeFloat16(out, input, 6 * 65536),
    );
    expect(fast.bytes.equals(slow.bytes)).toBe(true);
  });

  it('lengths that are no multiple of anything', () => {
    fc.assert(
      fc.property(weightsOf, (values) => {
        const count = put(values);
        const { simd: fast, plain: slow } = both(count * 2, (kernels, out) => kernels.encodeFloat16(out, input, count));
        expect(fast.bytes.equals(slow.bytes)).toBe(true);
      }),
    );
  });
});

describe('statistics', () => {
  it('range, zeros and power sums', () => {
    fc.assert(
      fc.property(weightsOf, fc.constantFrom(0, 0.5, -3), (values, shift) => {
        const count = put(values);
        const { simd: fast, plain: slow } = both(56, (kernels, out) => kernels.powerSums(out, input, count, shift));
        expect(fast.bytes.equals(slow.bytes)).toBe(true);
      }),
    );
  });

  it('says where it cannot: a sum that is not finite', () => {
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      for (const at of [0, 3, 6]) {
        const values = bell(7, 1);
        values[at] = odd;
        simd.powerSums(second, input, put(values), 0);
        expect(Number.isFinite(new Float64Array(memory.buffer, second, 7)[6]!)).toBe(false);
      }
    }
  });

  it('histogram over the range of the values', () => {
    fc.assert(
      fc.property(weightsOf, (values) => {
        const count = put(values);
        const min = count > 0 ? values.reduce((a, b) => Math.min(a, b)) : 0;
        const max = count > 0 ? values.reduce((a, b) => Math.max(a, b)) : 0;
        compareBins(count, min, max / 256 - min / 256);
      }),
    );
  });

  it('histogram over another range: ends take what lies beyond', () => {
    fc.assert(
      fc.property(weightsOf, finite, fc.constantFrom(0.001, 0.03, 1, 1e5), (values, min, width) => {
        compareBins(put(values), min, width);
      }),
    );
  });

  function compareBins(count: number, min: number, width: number) {
    bytesAt(second, 1024).fill(0);
    bytesAt(third, 1024).fill(0);
    for (let twice = 0; twice < 2; twice++) {
      simd.countBins(second, input, count, min, width);
      plain.countBins(third, input, count, min, width);
    }
    const counts = [...new Uint32Array(memory.buffer, second, 256)];
    expect(counts).toEqual([...new Uint32Array(memory.buffer, third, 256)]);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(count * 2);
  }

  it('values beyond limits, non-finite ones left out', () => {
    const any = fc.array(fc.float(), { maxLength: 200 }).map((values) => Float32Array.from(values));
    fc.assert(
      fc.property(
        fc.oneof(any, weightsOf),
        fc.double({ noNaN: true }),
        fc.double({ noNaN: true }),
        (values, low, high) => {
          const count = put(values);
          const near = values[0] !== undefined && Number.isFinite(values[0]) ? values[0] : low;
          expect(simd.countBeyond(input, count, low, high)).toBe(plain.countBeyond(input, count, low, high));
          expect(simd.countBeyond(input, count, near, near)).toBe(plain.countBeyond(input, count, near, near));
        },
      ),
    );
  });

  it('ranges of channels', () => {
    const shape = fc.record({
      inner: fc.constantFrom(1, 2, 9, 25, 64),
      channels: fc.integer({ min: 1, max: 40 }),
      start: fc.nat(5000),
    });
    fc.assert(
      fc.property(weightsOf, shape, (values, { inner, channels, start }) => {
        const count = put(values);
        const channel = Math.floor(start / inner) % channels;
        const left = inner - (start % inner);
        const { simd: fast, plain: slow } = both(channels * 8, (kernels, out) => {
          floatsAt(out, channels).fill(Infinity);
          floatsAt(out + channels * 4, channels).fill(-Infinity);
          kernels.widenRanges(out, out + channels * 4, input, count, channel, left, inner, channels);
          for (let i = 0; i < channels * 2; i++) floatsAt(out, channels * 2)[i]! += 0;
        });
        expect(fast.bytes.equals(slow.bytes)).toBe(true);
      }),
    );
  });
});

describe('quantization', () => {
  it('rounds halves up, and no number just below a half', () => {
    const bits = new Int32Array(1);
    const float = new Float32Array(bits.buffer);
    const check = (x: number) => {
      const whole = Math.floor(x);
      expect(roundHalfUp(x), `${x}`).toBe(x - whole >= 0.5 ? whole + 1 : whole);
    };
    for (let half = 0.5; half < 300; half++) {
      float[0] = half;
      for (let step = -3; step <= 3; step++) {
        const [kept] = bits;
        bits[0] = kept! + step;
        check(float[0]!);
        bits[0] = kept!;
      }
    }
    fc.assert(fc.property(fc.float({ min: 0, max: 300, noNaN: true }), check));
  });

  const layout = fc.record({
    lines: fc.integer({ min: 1, max: 6 }),
    line: fc.integer({ min: 1, max: 700 }),
    group: fc.constantFrom(1, 7, 9, 16, 25, 32, 128, 256, 700),
    bits: fc.constantFrom(2, 4, 8),
    rule: fc.constantFrom(...Object.values(rules)),
    padding: fc.constantFrom(null, 0, 3),
    seed: fc.integer(),
    scale: fc.constantFrom(1e-44, 1e-38, 0.02, 1e30),
    kind: fc.constantFrom('bell', 'grid', 'zeros', 'extremes'),
  });

  it('codes, scales, zeros and loss', () => {
    fc.assert(
      fc.property(layout, ({ lines, line, group, bits, rule, padding, seed, scale, kind }) => {
        const count = lines * line;
        const values = bell(count, seed, scale);
        if (kind === 'grid') for (let i = 0; i < count; i++) values[i] = Math.round(values[i]! * 200) / 20;
        if (kind === 'zeros') values.fill(0);
        if (kind === 'extremes') for (let i = 0; i < count; i += 5) values[i]! *= 1e8;
        put(values);
        const padded = padding === null ? 0 : Math.min(group, line) + padding;
        const own = group > line ? line : group;
        const groups = lines * Math.ceil(line / own);
        const codeBytes = padded === 0 ? count : groups * padded;
        const zerosAt = Math.ceil(codeBytes / 64) * 64;
        const scalesAt = zerosAt + Math.ceil(groups / 64) * 64;
        const lossAt = scalesAt + Math.ceil((groups * 4) / 64) * 64;
        const { simd: fast, plain: slow } = both(lossAt + 24, (kernels, out) => {
          bytesAt(out + lossAt, 24).fill(0);
          kernels.quantizeGroups(
            out,
            out + scalesAt,
            out + zerosAt,
            out + lossAt,
            input,
            lines,
            line,
            own,
            padded,
            bits,
            rule,
          );
        });
        expect(fast.bytes.equals(slow.bytes)).toBe(true);

        const done = third;
        bytesAt(done, lossAt).set(fast.bytes.subarray(0, lossAt));
        const back = both(count * 4, (kernels, out) =>
          kernels.reconstructGroups(out, done, done + scalesAt, done + zerosAt, lines, line, own, padded),
        );
        expect(back.simd.bytes.equals(back.plain.bytes)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('says where it cannot: a loss that is not finite', () => {
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      for (const at of [0, 17, 34]) {
        const values = bell(35, 3);
        values[at] = odd;
        bytesAt(third, 24).fill(0);
        simd.quantizeGroups(second, second + 4096, second + 8192, third, input, 1, put(values), 35, 0, 4, 0);
        const [signal, noise] = new Float64Array(memory.buffer, third, 2);
        expect(Number.isFinite(signal! + noise!)).toBe(false);
      }
    }
  });

  it('weights over scales, and levels', () => {
    fc.assert(
      fc.property(layout, ({ lines, line, group, seed, scale, bits }) => {
        const own = group > line ? line : group;
        const count = put(bell(lines * line, seed, scale));
        const groups = lines * Math.ceil(line / own);
        const next = randoms(seed);
        floatsAt(second, groups).set(Float32Array.from({ length: groups }, (_, i) => (i % 5 === 0 ? 0 : next() - 0.5)));
        const scaled = both(count * 4, (kernels, out) => kernels.scaleGroups(out, input, second, lines, line, own));
        expect(scaled.simd.bytes.equals(scaled.plain.bytes)).toBe(true);
        bytesAt(third, count).set(Uint8Array.from({ length: count }, () => next() * 2 ** bits));
        bytesAt(second, groups).set(Uint8Array.from({ length: groups }, () => next() * 2 ** bits));
        // The scratch behind the 2 KiB of counts is not compared.
        const levels = [simd, plain].map((kernels, index) => {
          const out = region(10 + index);
          bytesAt(out, 2048).fill(0);
          kernels.countLevels(out, third, second, lines, line, own, 0);
          return [...new Uint32Array(memory.buffer, out, 512)];
        });
        expect(levels[0]).toEqual(levels[1]);
      }),
    );
  });

  it('packs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom(2, 4, 8),
        fc.boolean(),
        fc.integer(),
        (count, bits, flip, seed) => {
          const next = randoms(seed);
          bytesAt(input, count + 64).fill(0xff);
          bytesAt(input, count).set(Uint8Array.from({ length: count }, () => next() * 2 ** bits));
          const { simd: fast, plain: slow } = both(Math.ceil((count * bits) / 8), (kernels, out) =>
            kernels.packCodes(out, input, count, bits, flip ? 2 ** (bits - 1) : 0),
          );
          expect(fast.bytes.equals(slow.bytes)).toBe(true);
        },
      ),
    );
  });

  it('transposes', () => {
    const size = fc.integer({ min: 1, max: 70 });
    fc.assert(
      fc.property(size, size, fc.integer(), (rows, columns, seed) => {
        put(bell(rows * columns, seed));
        const floats = both(rows * columns * 4, (kernels, out) => kernels.transposeFloats(out, input, rows, columns));
        expect(floats.simd.bytes.equals(floats.plain.bytes)).toBe(true);
        const codes = both(rows * columns, (kernels, out) => kernels.transposeCodes(out, input, rows, columns));
        expect(codes.simd.bytes.equals(codes.plain.bytes)).toBe(true);
      }),
    );
  });
});
