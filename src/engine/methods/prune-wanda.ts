// Pruning by weights and inputs: in each output those go that carry least, |w|·‖x‖. Sun et al., Wanda, arXiv 2306.11695.
import type { MethodCard } from '../../contract/words/method';
import { hessiansFor } from './cutting/hessians';
import { pruneLayers, storedFloats } from './cutting/pruned';
import { dropOf, notFaster, pruningParameters, samplesParameter } from './cutting/pruning-card';
import { lieOf, whyNotPruned, whyUnseen } from './cutting/pruning-plan';
import type { Method } from './method';

const card: MethodCard = {
  id: 'prune-wanda',
  title: 'Prune by Wanda',
  family: 'prune',
  help: 'Weights become zero that carry least: magnitude times the size of their inputs on calibration samples, compared within each output, layer by layer behind the layers that were pruned before. The others stay as they are. A zip of the model becomes smaller; the model itself does not, and it runs no faster. Prune before quantizing.',
  needs: ['weights', 'data'],
  params: [...pruningParameters(), samplesParameter()],
  ops: ['MatMul', 'Gemm', 'Conv'],
};

export const pruneWanda: Method = {
  card,

  samplesOf: ({ samples }) => Number(samples),

  fits(subject, site, params, chosen) {
    return whyNotPruned(subject, site, params, card.ops, chosen) ?? whyUnseen(subject, site);
  },

  warnings() {
    return [notFaster];
  },

  async *apply(subject, targets, workshop) {
    await using inputs = hessiansFor(subject, targets, workshop.gathering, card.id);
    return yield* pruneLayers(subject, targets, workshop, async ({ site, params }, kernels, now) => {
      const { rows, columns, order } = lieOf(site)!;
      const squares = await inputs!.squaresOf(site, now);
      const { tensor } = site;
      const signal = workshop.gathering?.signal;
      const made = await kernels.prune({ tensor, rows, columns, order, drop: dropOf(params), squares, signal });
      return storedFloats(tensor, made.values);
    });
  },
};
