// Pruning with feedback: what a weight's loss does to the output is made good by the weights after it.
// Frantar and Alistarh, SparseGPT, arXiv 2301.00774.
import type { MethodCard } from '../../contract/words/method';
import { hessiansFor } from './cutting/hessians';
import { pruneLayers, storedFloats } from './cutting/pruned';
import { dropOf, notFaster, pruningParameters, samplesParameter } from './cutting/pruning-card';
import { lieOf, whyNotPruned, whyUnseen } from './cutting/pruning-plan';
import type { Method } from './method';

const card: MethodCard = {
  id: 'prune-sparsegpt',
  title: 'Prune by SparseGPT',
  family: 'prune',
  help: 'Weights become zero whose loss the others can best make good, and they do: layer by layer on calibration samples, behind the layers that were pruned before. Loses least of the three, and takes longest. A zip of the model becomes smaller; the model itself does not, and it runs no faster. Prune before quantizing.',
  needs: ['weights', 'data'],
  params: [...pruningParameters(), samplesParameter()],
  ops: ['MatMul', 'Gemm', 'Conv'],
};

export const pruneSparsegpt: Method = {
  card,

  samplesOf: ({ samples }) => Number(samples),

  feedsBack: lieOf,

  fits(subject, site, params, chosen) {
    return whyNotPruned(subject, site, params, card.ops, chosen) ?? whyUnseen(subject, site);
  },

  warnings() {
    return [notFaster];
  },

  async *apply(subject, targets, workshop) {
    await using hessians = hessiansFor(subject, targets, workshop.gathering, card.id);
    return yield* pruneLayers(subject, targets, workshop, async ({ site, params }, kernels, now) => {
      const { rows, columns, order } = lieOf(site)!;
      const hessian = await hessians!.of(site, now);
      const { tensor } = site;
      const signal = workshop.gathering?.signal;
      const made = await kernels.prune({ tensor, rows, columns, order, drop: dropOf(params), hessian, signal });
      return storedFloats(tensor, made.values);
    });
  },
};
