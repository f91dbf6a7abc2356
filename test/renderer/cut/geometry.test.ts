// The cut: length is parameters, diameter is bits, area is bytes; whatever the model, it fills its frame and no more.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CutLayer, cutGeometry, mergeAbove, mergeLayers, segmentAt } from '../../../src/renderer/cut/geometry';
import { cutSentence } from '../../../src/renderer/cut/sentence';

const frame = { width: 420, height: 136 };
const layer = (name: string, parameters: number, bits = 32): CutLayer => ({ name, parameters, bits });

describe('geometry', () => {
  it('makes area proportional to bytes', () => {
    const { segments } = cutGeometry([layer('a', 1000, 32), layer('b', 3000, 8), layer('c', 2000, 16)], frame);
    const areas = segments.map((segment) => segment.width * segment.height);
    const bytes = [1000 * 4, 3000, 2000 * 2];
    for (const [at, area] of areas.entries()) expect(area / areas[0]!).toBeCloseTo(bytes[at]! / bytes[0]!, 6);
  });

  it('mirrors every layer about the centre line, the full diameter being 32 bits', () => {
    const { segments, middle } = cutGeometry([layer('a', 10, 32), layer('b', 10, 4)], frame);
    for (const segment of segments) expect(segment.y + segment.height / 2).toBeCloseTo(middle, 6);
    expect(segments[0]?.height).toBeCloseTo(frame.height - 2, 6);
  });

  it('draws the smallest layer, and still fills the length', () => {
    const { segments } = cutGeometry([layer('huge', 1e9), layer('tiny', 1), layer('none', 0)], frame);
    expect(segments[1]!.width).toBeGreaterThan(0.5);
    expect(segments.reduce((sum, segment) => sum + segment.width, 0)).toBeCloseTo(frame.width, 6);
  });

  it('is shorter than its stock by the parameters that were removed', () => {
    const { segments } = cutGeometry([layer('a', 300), layer('b', 300)], {
      ...frame,
      stock: { parameters: 1200, bits: 32 },
    });
    const last = segments.at(-1)!;
    expect(last.x + last.width).toBeCloseTo(frame.width / 2, 6);
  });

  it('draws the stock at the diameter of the parent', () => {
    const { stock } = cutGeometry([layer('a', 300, 4)], { ...frame, stock: { parameters: 300, bits: 16 } });
    expect(stock.height).toBeCloseTo((frame.height - 2) / 2, 6);
  });

  it('stays in its frame for any model', () => {
    const anyLayer = fc.record({ parameters: fc.nat(1e9), bits: fc.constantFrom(2, 3, 4, 8, 16, 32, 64) });
    fc.assert(
      fc.property(fc.array(anyLayer, { maxLength: 600 }), (layers) => {
        const { segments } = cutGeometry(
          layers.map((each, at) => ({ ...each, name: `layers.${at % 40}.w${at}` })),
          frame,
        );
        expect(segments.length).toBeLessThanOrEqual(mergeAbove);
        for (const { x, width, y, height } of segments) {
          expect(Number.isFinite(x + width + y + height)).toBe(true);
          expect(x).toBeGreaterThanOrEqual(-1e-6);
          expect(x + width).toBeLessThanOrEqual(frame.width + 1e-6);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(y + height).toBeLessThanOrEqual(frame.height);
        }
      }),
    );
  });

  it('finds the layer under a place', () => {
    const geometry = cutGeometry([layer('a', 500), layer('b', 500)], frame);
    expect(segmentAt(geometry, 10)?.names).toEqual(['a']);
    expect(segmentAt(geometry, 400)?.names).toEqual(['b']);
    expect(segmentAt(geometry, 999)).toBeNull();
  });
});

describe('merging', () => {
  it('leaves up to 200 layers alone', () => {
    const layers = Array.from({ length: mergeAbove }, (_, at) => layer(`l${at}`, 1));
    expect(mergeLayers(layers)).toHaveLength(mergeAbove);
  });

  it('joins neighbours of a block and loses no layer and no parameter', () => {
    const layers = Array.from({ length: 320 }, (_, at) =>
      layer(`model.layers.${Math.floor(at / 10)}.part${at % 10}`, at, 4),
    );
    const merged = mergeLayers(layers);
    expect(merged).toHaveLength(32);
    expect(merged.flatMap((part) => part.names)).toEqual(layers.map((each) => each.name));
    expect(merged.reduce((sum, part) => sum + part.parameters, 0)).toBe((319 * 320) / 2);
  });

  it('keeps the area: bits are weighed by parameters', () => {
    const layers = Array.from({ length: 202 }, (_, at) =>
      layer(`b.${at >> 1}.${at % 2}`, at % 2 ? 300 : 100, at % 2 ? 4 : 8),
    );
    expect(mergeLayers(layers)[0]?.bits).toBe(5);
  });
});

describe('the sentence', () => {
  it('counts the layers of each precision', () => {
    const layers = [
      ...Array.from({ length: 15 }, () => layer('x', 700_000, 4)),
      ...Array.from({ length: 6 }, () => layer('y', 116_667, 8)),
    ];
    expect(cutSentence(layers, 0.15).replaceAll('\u202f', ' ')).toBe(
      '11.2 M parameters; 15 layers in int4, 6 in int8; 15 % of the bytes.',
    );
  });
});
