// Steps of the optimiser, clipping and running statistics against PyTorch's numbers; the learning rate by step.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { clipScale, type OptimizerSettings, openOptimizer } from '../../../src/engine/train/optimizer';
import { RunningStatistics } from '../../../src/engine/train/running';
import { rateAt } from '../../../src/engine/train/schedule';
import { model, value } from '../models';

const recorded = JSON.parse(readFileSync(new URL('../../oracles/optimizers.json', import.meta.url), 'utf8'));
const weight = { name: 'w', dims: [3, 4], count: 12, decays: true };

function largest(is: ArrayLike<number>, should: readonly number[]): number {
  return should.reduce((most, one, i) => Math.max(most, Math.abs(is[i]! - one) / Math.max(1e-3, Math.abs(one))), 0);
}

describe('an optimiser steps as PyTorch does', () => {
  const settings = { weightDecay: 0.1, momentum: 0.9, nesterov: false } as const;
  const kinds: Record<string, OptimizerSettings> = {
    adamw: { ...settings, kind: 'adamw' },
    sgd: { ...settings, kind: 'sgd' },
    nesterov: { ...settings, kind: 'sgd', nesterov: true },
  };
  it.each(Object.entries(kinds))('%s', (name, kind) => {
    const optimizer = openOptimizer([weight], kind);
    optimizer.weights.get('w')!.set(recorded.start);
    for (const [i, gradient] of recorded.gradients.entries()) {
      optimizer.gradients.get('w')!.set(gradient);
      optimizer.step({ rate: recorded.rates[i], scale: 1, count: i + 1 });
      expect(largest(optimizer.weights.get('w')!, recorded[name][i]), `step ${i + 1}`).toBeLessThan(2e-6);
    }
  });

  it('and leaves what does not decay where no gradient pulls', () => {
    const bias = { name: 'b', dims: [12], count: 12, decays: false };
    const optimizer = openOptimizer([bias, weight], kinds.adamw!);
    for (const { name } of [bias, weight]) optimizer.weights.get(name)!.set(recorded.start);
    optimizer.step({ rate: 0.1, scale: 1, count: 1 });
    expect([...optimizer.weights.get('b')!]).toEqual(recorded.start.map(Math.fround));
    expect(
      largest(
        optimizer.weights.get('w')!,
        recorded.start.map((one: number) => one * 0.99),
      ),
    ).toBeLessThan(2e-6);
  });
});

it('clips as PyTorch does', () => {
  const optimizer = openOptimizer([weight], { kind: 'adamw', weightDecay: 0, momentum: 0, nesterov: false });
  optimizer.gradients.get('w')!.set(recorded.gradients[2]);
  expect(optimizer.norm()).toBeCloseTo(recorded.clip.norm, 5);
  const scale = clipScale(optimizer.norm(), 1);
  const clipped = optimizer.gradients.get('w')!.map((one) => one * scale);
  expect(largest(clipped, recorded.clip.gradient)).toBeLessThan(2e-6);
  expect([clipScale(0.5, 1), clipScale(50, 0), clipScale(50, 100)]).toEqual([1, 1, 1]);
});

it('running statistics follow batches as PyTorch’s do', async () => {
  const { mean, variance, count, after } = recorded.running;
  const given = model({
    inputs: [value('x')],
    outputs: [value('x')],
    nodes: [],
    initializers: [floatTensor('mean', [3], [0, 0, 0]), floatTensor('variance', [3], [1, 1, 1])],
  });
  const names = { mean: 'mean', variance: 'variance', batchMean: 'bm', batchVariance: 'bv' };
  const running = await RunningStatistics.of(given, [{ layer: 'norm', ...names, count, momentum: 0.9 }]);
  for (let i = 0; i < mean.length; i++) {
    (running.outputs.bm!.data as Float32Array).set(mean[i]);
    (running.outputs.bv!.data as Float32Array).set(variance[i]);
    running.follow();
  }
  expect(largest(running.views.get('mean')!, after.mean)).toBeLessThan(2e-6);
  expect(largest(running.views.get('variance')!, after.variance)).toBeLessThan(2e-6);
});

it('the rate rises, then goes its way', () => {
  const rates = (kind: 'constant' | 'cosine' | 'linear', warmUpSteps: number) =>
    Array.from({ length: 8 }, (_, step) =>
      Number(rateAt(step, { kind, learningRate: 1, warmUpSteps, steps: 8 }).toFixed(4)),
    );
  expect(rates('constant', 0)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  expect(rates('linear', 3)).toEqual([0.25, 0.5, 0.75, 1, 0.8, 0.6, 0.4, 0.2]);
  expect(rates('cosine', 0)).toEqual([1, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381]);
});
