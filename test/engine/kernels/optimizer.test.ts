// Optimiser steps: the SIMD kernel gives the bits of the plain twin, which follows the papers' formulas.
import { describe, expect, it } from 'vitest';
import { type AdamwStep, openOptimizerKernel, type SgdStep } from '../../../src/engine/kernels';
import { adamw, sgd, squaredNorm } from '../../../src/engine/kernels/reference/optimizer';
import { bell } from './memory';

const bits = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** A kernel with seeded weights and gradients, and copies of its arrays for the plain twin. */
function prepared(parameters: number, seed: number) {
  const kernel = openOptimizerKernel(parameters);
  kernel.weights.set(bell(parameters, seed));
  kernel.grads.set(bell(parameters, seed + 1, 0.3));
  const { weights, grads, m, v } = kernel;
  return { kernel, twin: { weights: weights.slice(), grads: grads.slice(), m: m.slice(), v: v.slice() } };
}

const adamwAt = (t: number, more: Partial<AdamwStep> = {}): AdamwStep => ({
  ...{ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, gradScale: 0.37 },
  ...{ biasCorrection1: 1 - 0.9 ** t, biasCorrection2: 1 - 0.999 ** t },
  ...more,
});
const sgdStep: SgdStep = { learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 1e-4, gradScale: 0.5 };

describe('optimiser kernel', () => {
  it.each([0, 1, 3, 4, 4095, 4096, 4097, 10_007])('takes the AdamW steps of the plain twin, %i parameters', (count) => {
    const { kernel, twin } = prepared(count, 7);
    // Gradients that are zero, tiny and huge.
    for (const [i, g] of [0, 1e-30, -1e-42, 1e15].entries()) if (i < count) kernel.grads[i] = twin.grads[i] = g;
    for (let t = 1; t <= 3; t++) {
      kernel.step(adamwAt(t));
      adamw(twin.weights, twin.grads, twin.m, twin.v, adamwAt(t));
      kernel.grads.reverse();
      twin.grads.reverse();
    }
    for (const name of ['weights', 'grads', 'm', 'v'] as const) {
      expect(bits(kernel[name]).equals(bits(twin[name])), name).toBe(true);
    }
  });

  it.each([
    { nesterov: false, count: 10_007 },
    { nesterov: true, count: 4099 },
  ])('takes the SGD steps of the plain twin, look ahead: $nesterov', ({ nesterov, count }) => {
    const { kernel, twin } = prepared(count, 11);
    for (let t = 1; t <= 3; t++) {
      kernel.sgd({ ...sgdStep, nesterov });
      sgd(twin.weights, twin.grads, twin.m, { ...sgdStep, nesterov });
    }
    for (const name of ['weights', 'm'] as const) expect(bits(kernel[name]).equals(bits(twin[name])), name).toBe(true);
  });

  it.each([0, 1, 7, 8, 4096, 12_345])('sums squares as the plain twin does, %i gradients', (count) => {
    const { kernel } = prepared(count, 3);
    expect(kernel.squaredNorm()).toBe(squaredNorm(kernel.grads));
  });

  it('keeps to a stretch', () => {
    const { kernel, twin } = prepared(100, 5);
    kernel.step(adamwAt(1), { from: 10, count: 30 });
    const part = (values: Float32Array) => values.subarray(10, 40);
    adamw(part(twin.weights), part(twin.grads), part(twin.m), part(twin.v), adamwAt(1));
    expect(bits(kernel.weights).equals(bits(twin.weights))).toBe(true);
    expect(kernel.squaredNorm({ from: 10, count: 30 })).toBe(squaredNorm(part(twin.grads)));
    expect(() => kernel.step(adamwAt(1), { from: 90, count: 11 })).toThrow(RangeError);
  });

  it('follows the papers in float64 to the last digits of float32', () => {
    const { kernel } = prepared(64, 9);
    const [w, m, v] = [Float64Array.from(kernel.weights), new Float64Array(64), new Float64Array(64)];
    for (let t = 1; t <= 20; t++) {
      const { learningRate, beta1, beta2, epsilon, weightDecay, gradScale } = adamwAt(t);
      kernel.step(adamwAt(t));
      for (let i = 0; i < 64; i++) {
        const g = kernel.grads[i]! * gradScale;
        m[i] = beta1 * m[i]! + (1 - beta1) * g;
        v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
        const step = m[i]! / (1 - beta1 ** t) / (Math.sqrt(v[i]! / (1 - beta2 ** t)) + epsilon);
        w[i] = w[i]! - learningRate * weightDecay * w[i]! - learningRate * step;
      }
    }
    for (let i = 0; i < 64; i++) expect(kernel.weights[i]).toBeCloseTo(w[i]!, 7);
  });

  it('refuses more than its memory holds', () => {
    expect(() => openOptimizerKernel(2 ** 28)).toThrow(/4 GiB/);
  });
});
