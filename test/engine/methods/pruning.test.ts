// Pruned layers: the pattern in the written file, tied tensors once, one threshold for all.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open, write } from '../../../src/engine/formats/onnx';
import type { Model, Tensor } from '../../../src/engine/graph/graph';
import { elementCount } from '../../../src/engine/graph/graph';
import { type LayerSite, listLayers } from '../../../src/engine/graph/layers';
import { readFloats } from '../../../src/engine/graph/tensor';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { foretell, subjects, withCut } from './bench';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const zerosIn = (values: ArrayLike<number>): number => Array.from(values).filter((w) => w === 0).length;
const valuesOf = async (sites: readonly LayerSite[]) =>
  new Map(await Promise.all(sites.map(async ({ name, tensor }) => [name, await readFloats(tensor)] as const)));

/** Groups of the inputs of one output, as the layer multiplies them: [outputs][inputs]. */
function rowsOf({ op, tensor, channelAxis }: LayerSite, values: Float32Array): number[][] {
  const { dims } = tensor;
  const outputs = dims[channelAxis!]!;
  const inner = elementCount(dims.slice(channelAxis! + 1));
  const rows: number[][] = Array.from({ length: op === 'LSTM' ? dims[0]! * outputs : outputs }, () => []);
  values.forEach((w, i) => {
    const lead = op === 'LSTM' ? Math.floor(i / (outputs * inner)) * outputs : 0;
    rows[lead + (Math.floor(i / inner) % outputs)]!.push(w);
  });
  return rows;
}

describe('prune-magnitude', () => {
  it.each(['2:4', '4:8'])('%s holds in the written file, along the inputs of each output', async (pattern) => {
    const [keep, of] = pattern.split(':').map(Number) as [number, number];
    let looked = 0;
    for (const name of ['tiny-mlp', 'tiny-lstm', 'tiny-conv', 'odd-gemms']) {
      const steps = [{ method: 'prune-magnitude', params: { pattern } }];
      await withCut(kernels, subjects[name]!(), steps, async ({ taken }, folder) => {
        await write(taken.subject.model, { folder, file: 'written.onnx' });
        for (const site of listLayers((await open(join(folder, 'written.onnx'))).model)) {
          const record = taken.records.get(site.name)!;
          if (record.refusal) {
            expect(record.refusal.sentence).toMatch(/no whole groups|cannot be told/);
            continue;
          }
          for (const row of rowsOf(site, await readFloats(site.tensor)))
            for (let first = 0; first < row.length; first += of)
              expect(zerosIn(row.slice(first, first + of))).toBe(of - keep);
          looked++;
        }
      });
    }
    expect(looked).toBeGreaterThan(4);
  });

  it('prunes a shared table once, where tables are switched on, and neither of the two where they are not', async () => {
    const model = subjects['tiny-lm']!();
    const { taken: kept } = await foretell(model, [{ method: 'prune-magnitude' }]);
    expect(kept.records.get('/head/MatMul')!.refusal).toMatchObject({ mend: 'Switch tables on.' });
    const steps = [{ method: 'prune-magnitude', params: { tables: true, sparsity: 0.25 } }];
    await withCut(kernels, model, steps, async ({ taken, cuts }) => {
      const [embedding, , head] = taken.subject.sites;
      expect(head!.tensor).toBe(embedding!.tensor);
      const values = await readFloats(head!.tensor);
      expect(zerosIn(values) / values.length).toBeCloseTo(0.25, 2);
      expect(cuts[0]!.error).toEqual(cuts.at(-1)!.error);
    });
    const half = [{ ...steps[0], layers: { exclude: ['/head/MatMul'] } }];
    const { taken } = await foretell(model, half);
    expect(taken.records.get(listLayers(model)[0]!.name)!.refusal?.mend).toBe('Choose both, or leave both out.');
  });

  it('one threshold over all layers: as many zeros as were asked for, where the weights are smallest', async () => {
    const model = loud(subjects['tiny-mlp']!());
    for (const normalise of ['none', 'lamp']) {
      const steps = [{ method: 'prune-magnitude', params: { scope: 'global', normalise, sparsity: 0.6 } }];
      await withCut(kernels, model, steps, async ({ taken }) => {
        const all = [...(await valuesOf(taken.subject.sites)).values()];
        const count = all.reduce((sum, { length }) => sum + length, 0);
        const zeros = all.map(zerosIn);
        expect(zeros.reduce((a, b) => a + b, 0)).toBe(Math.round(count * 0.6));
        // The first layer is more than a hundred times as loud: magnitudes empty the other one, LAMP takes each in its own measure.
        if (normalise === 'none') expect(zeros[1]).toBe(all[1]!.length);
        else expect(Math.abs(zeros[1]! - (await lampZeros(subjects['tiny-mlp']!(), 0.6))[1]!)).toBeLessThan(5);
      });
    }
  });
});

/** w² over the sum of all squares of its layer that are not smaller: how many weights of each layer are among the lowest. */
async function lampZeros(model: Model, sparsity: number): Promise<number[]> {
  const layers = [...(await valuesOf(listLayers(model))).values()];
  const scored = layers.flatMap((values, layer) => {
    let left = 0;
    return Array.from(values, (w) => w * w)
      .sort((a, b) => b - a)
      .map((square) => ({ layer, score: square / (left += square) }));
  });
  const lowest = scored.sort((a, b) => a.score - b.score).slice(0, Math.round(scored.length * sparsity));
  return layers.map((_, i) => lowest.filter(({ layer }) => layer === i).length);
}

/** The first layer's weights 128 times as large. */
function loud(model: Model): Model {
  const weights = listLayers(model)[0]!.tensor;
  if (weights.data.kind !== 'bytes') throw new Error('the tiny models are in memory');
  const values = new Float32Array(weights.data.bytes.slice().buffer).map((w) => 128 * w);
  const other: Tensor = { ...weights, data: { kind: 'bytes', bytes: new Uint8Array(values.buffer) } };
  const initializers = new Map(model.graph.initializers).set(weights.name, other);
  return { ...model, graph: { ...model.graph, initializers } };
}
