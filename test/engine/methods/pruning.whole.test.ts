// Zeros that pruning made stay through every step behind it: each pair on small models, place by place.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model, Tensor } from '../../../src/engine/graph/graph';
import { type LayerSite, listLayers } from '../../../src/engine/graph/layers';
import { readFloats } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { weightStatistics } from '../../../src/engine/measure/weights';
import { reconstructed, subjects, withCut } from './bench';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const zerosIn = (values: ArrayLike<number>): number => Array.from(values).filter((w) => w === 0).length;
const valuesOf = async (sites: readonly LayerSite[]) =>
  new Map(await Promise.all(sites.map(async ({ name, tensor }) => [name, await readFloats(tensor)] as const)));

/** Steps behind a pruning, and whether its zeros stay. */
const behind: readonly { step: { method: string; params?: Record<string, unknown> }; stays: boolean }[] = [
  { step: { method: 'float16' }, stays: true },
  { step: { method: 'int8-dynamic' }, stays: true },
  { step: { method: 'int8-static' }, stays: true },
  { step: { method: 'int8-static', params: { activations: 'int8', symmetric: true, perChannel: false } }, stays: true },
  { step: { method: 'zero-shot', params: { inputs: 'normalised' } }, stays: true },
  ...[2, 4, 8].flatMap((bits) =>
    ['nearest', 'mse', 'gptq'].flatMap((rounding) =>
      [true, false].map((symmetric) => ({
        step: { method: 'weight-only', params: { bits, groupSize: 16, rounding, symmetric } },
        stays: true,
      })),
    ),
  ),
  { step: { method: 'weight-only', params: { rounding: 'hqq', groupSize: 16 } }, stays: false },
  { step: { method: 'finetune', params: { epochs: 1 } }, stays: true },
  { step: { method: 'qat', params: { epochs: 1 } }, stays: true },
  { step: { method: 'qat', params: { epochs: 1, activationBits: 0, groupSize: 16 } }, stays: true },
  { step: { method: 'equalize' }, stays: true },
  { step: { method: 'smooth' }, stays: true },
  { step: { method: 'awq-scale' }, stays: true },
];

describe.each(behind)('zeros behind $step.method $step.params', ({ step, stays }) => {
  it.each(['tiny-mlp', 'tiny-conv', 'odd-gemms'])('%s', async (name) => {
    const model = subjects[name]!();
    const prune = { method: 'prune-magnitude', params: { sparsity: 0.5 } };
    let pruned: Model | null = null;
    const before = await withCut(kernels, model, [prune], async ({ taken }) => {
      pruned = (await inMemory(taken.subject.model)) as Model;
      return valuesOf(taken.subject.sites);
    });
    await withCut(kernels, model, [prune, step], async ({ taken, cuts }) => {
      const { sites } = taken.subject;
      const as = new Map(
        listLayers(await reconstructed(pruned!, sites.filter(isReadable))).map((one) => [one.name, one]),
      );
      let [lost, zeros] = [0, 0];
      for (const site of sites) {
        const was = before.get(site.name)!;
        const count = zerosIn(was);
        zeros += count;
        // The same number of zeros at least; where the codes can be read, the same zeros.
        const now = (await weightStatistics(kernels, site)).zeros;
        if (now < count) lost += count - now;
        if (site.scales && !isReadable(site)) continue;
        const is = await readFloats(site.scales ? as.get(site.name)!.tensor : site.tensor);
        was.forEach((w, i) => {
          if (w === 0 && is[i] !== 0) lost++;
        });
      }
      expect(zeros).toBeGreaterThan(50);
      if (stays) expect(lost).toBe(0);
      else {
        expect(lost).toBeGreaterThan(0);
        expect(cuts.flatMap(({ notes }) => notes).join()).toMatch(/zeros do not stay zero/);
      }
    });
  });
});

/** Codes that the bench knows how to read by itself. */
const isReadable = ({ scales, op, via }: LayerSite): boolean =>
  scales !== undefined &&
  (op === 'MatMulNBits' || via.some(({ op: one, attributes }) => one === 'DequantizeLinear' && attributes.has('axis')));

/** The model with its new weights in memory: the file they lie in goes with the cut. */
async function inMemory(model: Model): Promise<Model> {
  const initializers = new Map<string, Tensor>();
  for (const [name, tensor] of model.graph.initializers) {
    if (tensor.data.kind !== 'file') initializers.set(name, tensor);
    else {
      const values = await readFloats(tensor);
      initializers.set(name, { ...tensor, data: { kind: 'bytes', bytes: new Uint8Array(values.slice().buffer) } });
    }
  }
  return { ...model, graph: { ...model.graph, initializers } };
}
