// Inspect: the finding, the filter language and the colours, on a few layers.
import { describe, expect, it } from 'vitest';
import { binOf } from '../../../src/renderer/pages/inspect/colours';
import { layersCsv } from '../../../src/renderer/pages/inspect/columns';
import { filterLayers } from '../../../src/renderer/pages/inspect/filter';
import { findingOf, layerRows } from '../../../src/renderer/pages/inspect/rows';
import { parent } from '../stand-in/models';
import { statisticsOf } from '../stand-in/weights';

const stats = new Map(
  parent.layers.map((layer) => [layer.name, { ...statisticsOf(layer), kurtosis: layer.name === 'conv1' ? 26 : 3.2 }]),
);
const rows = layerRows(parent.layers, stats);

describe('the finding', () => {
  it('counts the fewest layers that carry two thirds of the bytes', () => {
    const { large } = findingOf(rows);
    expect(large.layers).toBe(4);
    expect(large.share).toBeGreaterThan(2 / 3);
  });
  it('names the layers with heavy tails and their share', () => {
    const { heavy, heavyShare } = findingOf(rows);
    expect(heavy.map((row) => row.name)).toEqual(['conv1']);
    expect(heavyShare).toBeCloseTo(6912 / parent.layers.reduce((sum, layer) => sum + layer.bytes, 0), 6);
  });
  it('finds nothing heavy before the weights are read', () => {
    expect(findingOf(layerRows(parent.layers, new Map())).heavy).toEqual([]);
  });
});

describe('the filter', () => {
  const names = (text: string) => filterLayers(rows, text).map((row) => row.name);
  it('matches words in names and operators', () => {
    expect(names('gemm')).toEqual(['fc']);
    expect(names('layer4 downsample')).toEqual(['layer4.0.downsample']);
  });
  it('compares bytes by their unit', () => expect(names('conv > 5 MB')).toHaveLength(3));
  it('compares figures by name', () => {
    expect(names('kurtosis > 13')).toEqual(['conv1']);
    expect(names('bits = 8')).toEqual([]);
  });
  it('lets everything through when empty', () => expect(filterLayers(rows, '  ')).toBe(rows));
});

it('puts kurtosis into five bins, calm to hurts', () => {
  expect([3, 5, 8, 12, 26].map((value) => binOf(value, 'kurtosis'))).toEqual([0, 1, 2, 3, 4]);
  expect(binOf(null, 'kurtosis')).toBeNull();
});

it('writes a CSV with a head and a line per layer', () => {
  const lines = layersCsv(rows).trimEnd().split('\n');
  expect(lines).toHaveLength(parent.layers.length + 1);
  expect(lines[1]).toMatch(/^conv1,Conv,64x3x3x3,float32,1728,6912,32,/);
});
