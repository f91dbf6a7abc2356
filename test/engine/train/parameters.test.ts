// Which tensors train with which layers, and why others do not.
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/engine/graph/graph';
import { listLayers } from '../../../src/engine/graph/layers';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { parametersOf, withStoredWeights } from '../../../src/engine/train/parameters';
import { whyFrozen } from '../../../src/engine/train/trainable';
import { model, node, randomWeights, tinyIf, tinyLm, value } from '../models';
import { mobileNet, tinyLlama } from './networks';

function names(given: Model, chosen: (name: string) => boolean = () => true): string[] {
  const sites = listLayers(given);
  const picked = sites.filter(({ name }) => chosen(name));
  return parametersOf(withStoredWeights(given), picked, sites)
    .map(({ name }) => name)
    .sort();
}

const weight = (name: string, dims: number[]) =>
  floatTensor(
    name,
    dims,
    randomWeights(
      dims.reduce((a, b) => a * b, 1),
      0.1,
      1,
    ),
  );

/** Norm → two layers with a gain and a bias between them; the input is prepared by a mean and a factor. */
function dressed(): Model {
  return model({
    inputs: [value('x', 'float32', ['n', 4])],
    outputs: [value('y', 'float32', ['n', 4])],
    nodes: [
      node('Add', ['x', 'pixel.mean'], ['shifted']),
      node('LayerNormalization', ['shifted', 'norm.gain', 'norm.bias'], ['normed']),
      node('Constant', [], ['first.weight'], { value: weight('', [4, 4]) }),
      node('MatMul', ['normed', 'first.weight'], ['a'], {}, { name: 'first' }),
      node('Add', ['a', 'first.bias'], ['b']),
      node('Mul', ['b', 'factor'], ['c']),
      node('Add', ['c', 'mask'], ['d']),
      node('MatMul', ['d', 'second.weight'], ['y'], {}, { name: 'second' }),
    ],
    initializers: [
      weight('pixel.mean', [4]),
      weight('norm.gain', [4]),
      weight('norm.bias', [4]),
      weight('first.bias', [4]),
      weight('factor', []),
      weight('mask', [2, 4]),
      weight('second.weight', [4, 4]),
    ],
  });
}

describe('parameters', () => {
  it('are weights, biases and norms beside them, and not what prepares the input, scales or masks', () => {
    expect(names(dressed())).toEqual(['first.bias', 'first.weight', 'norm.bias', 'norm.gain', 'second.weight']);
  });
  it('go with the layers that are chosen', () => {
    expect(names(dressed(), (name) => name === 'second')).toEqual(['second.weight']);
    expect(names(dressed(), (name) => name === 'first')).toEqual([
      'first.bias',
      'first.weight',
      'norm.bias',
      'norm.gain',
    ]);
  });
  it('count a shared table once', () => {
    const sites = listLayers(tinyLm());
    const found = parametersOf(tinyLm(), sites, sites);
    expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
    expect(found.filter(({ name }) => name === 'embed.weight')).toHaveLength(1);
  });
  it('leave running statistics and rotary tables alone', () => {
    expect(names(mobileNet()).filter((name) => /mean|var/.test(name))).toEqual([]);
    expect(names(mobileNet())).toContain('block1.depthwise.norm.weight');
    expect(names(tinyLlama()).filter((name) => /rope|causal|scale/.test(name))).toEqual([]);
  });
  it('decay where they are matrices', () => {
    const sites = listLayers(dressed());
    const decays = parametersOf(withStoredWeights(dressed()), sites, sites).filter((one) => one.decays);
    expect(decays.map(({ name }) => name).sort()).toEqual(['first.weight', 'second.weight']);
  });
});

describe('a layer stays frozen', () => {
  it('inside a branch', () => {
    const given = tinyIf();
    const inner = listLayers(given).filter(({ scope }) => scope.length > 0);
    expect(inner.length).toBeGreaterThan(0);
    for (const site of inner) expect(whyFrozen(given, site)?.sentence).toMatch(/inside a branch or a loop/);
  });
  it('before something without a gradient, which is named', () => {
    const whole = dressed();
    const wall = node('Unheard', ['y0'], ['y'], {}, { name: 'wall', domain: 'com.example' });
    const nodes = whole.graph.nodes.map((one) => (one.name === 'second' ? { ...one, outputs: ['y0'] } : one));
    const given = { ...whole, graph: { ...whole.graph, nodes: [...nodes, wall] } };
    expect(listLayers(given).map((site) => whyFrozen(given, site)?.sentence)).toEqual([
      'first: Behind it stands wall (com.example.Unheard), which has no gradient; it stays frozen.',
      'second: Behind it stands wall (com.example.Unheard), which has no gradient; it stays frozen.',
    ]);
  });
});
