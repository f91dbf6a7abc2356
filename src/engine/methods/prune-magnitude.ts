// Pruning by magnitude: the smallest weights become zero, layer by layer or wherever they are in the model. Needs no data.
import type { MethodCard } from '../../contract/words/method';
import type { Tensor } from '../graph/graph';
import type { Kernels } from '../kernels';
import { keptByLamp, keptByMagnitude, weightsOf } from './cutting/global-share';
import { pruneLayers, storedFloats } from './cutting/pruned';
import { dropOf, notFaster, pruningParameters } from './cutting/pruning-card';
import { lieOf, whyNotPruned } from './cutting/pruning-plan';
import type { Method, Target } from './method';

const card: MethodCard = {
  id: 'prune-magnitude',
  title: 'Prune by magnitude',
  family: 'prune',
  help: 'The smallest weights become zero; it needs no data. A zip of the model becomes smaller, the model itself does not, and it runs no faster: the runtime multiplies zeros as well. Layers keep their zeros through fine-tuning and through every quantizer whose levels include zero. Prune before quantizing.',
  needs: ['weights'],
  params: [
    ...pruningParameters(),
    {
      id: 'scope',
      label: 'Scope',
      help: 'Whether each layer loses the same share, or weights of all chosen layers compete.',
      kind: 'choice',
      default: 'layer',
      choices: [
        { value: 'layer', label: 'Each layer', help: 'Every layer loses the same share.' },
        {
          value: 'global',
          label: 'All together',
          help: 'One threshold over all chosen layers: some lose more, some less.',
        },
      ],
      when: { pattern: ['unstructured'] },
    },
    {
      id: 'normalise',
      label: 'Compare by',
      help: 'What is compared between layers. Magnitudes alone can empty a layer whose weights are all small; LAMP divides each by what is left of its layer when it goes.',
      kind: 'choice',
      default: 'lamp',
      choices: [
        { value: 'lamp', label: 'LAMP score' },
        { value: 'none', label: 'Magnitude' },
      ],
      when: { pattern: ['unstructured'], scope: ['global'] },
    },
    {
      id: 'tables',
      label: 'Embedding tables',
      help: 'Each row of a table is all that the model knows of one entry; zeros there cost more than in products.',
      kind: 'switch',
      default: false,
      on: 'Pruned too',
      off: 'Left whole',
    },
  ],
  ops: ['MatMul', 'Gemm', 'Gather', 'Conv', 'ConvTranspose', 'LSTM', 'GRU', 'RNN', 'Attention'],
};

const isGlobal = ({ params }: Target): boolean => params.pattern === 'unstructured' && params.scope === 'global';

export const pruneMagnitude: Method = {
  card,

  fits(subject, site, params, chosen) {
    return whyNotPruned(subject, site, params, card.ops, chosen);
  },

  warnings() {
    return [notFaster];
  },

  async *apply(subject, targets, workshop) {
    let shares: Promise<ReadonlyMap<Tensor, number>> | null = null;
    return yield* pruneLayers(subject, targets, workshop, async (target, kernels) => {
      const signal = workshop.gathering?.signal;
      const { tensor } = target.site;
      if (isGlobal(target)) {
        // Of the weights as they were before the step, whatever of it is done already.
        shares ??= sharesOf(targets.filter(isGlobal), kernels, signal);
        return largest(tensor, (await shares).get(tensor)!, kernels, signal);
      }
      const drop = dropOf(target.params);
      if ('share' in drop) {
        const count = weightsOf([tensor]);
        return largest(tensor, count - Math.round(drop.share * count), kernels, signal);
      }
      const lie = lieOf(target.site)!;
      const [rows, columns] =
        lie.order === 'rows' ? [lie.blocks * lie.rows, lie.columns] : [lie.rows, lie.blocks * lie.columns];
      const matrix = { rows, columns, order: lie.order, signal };
      if (drop.of === 4) return kernels.masked(tensor, await kernels.maskTwoOfFour(tensor, matrix), { signal });
      return storedFloats(tensor, (await kernels.prune({ tensor, ...matrix, drop })).values);
    });
  },
};

/** The tensor with its `keep` largest weights and zeros. */
async function largest(tensor: Tensor, keep: number, kernels: Kernels, signal?: AbortSignal): Promise<Uint8Array> {
  const { value, above } = await kernels.threshold([tensor], keep, { signal });
  const { mask } = await kernels.mask(tensor, { above: value, equal: keep - above, signal });
  return kernels.masked(tensor, mask, { signal });
}

/** How many weights each tensor keeps; one that several layers share counts once. */
async function sharesOf(
  targets: readonly Target[],
  kernels: Kernels,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Tensor, number>> {
  const sparsities = new Map<Tensor, number>();
  for (const { site, params } of targets)
    if (!sparsities.has(site.tensor)) sparsities.set(site.tensor, Number(params.sparsity));
  const tensors = [...sparsities.keys()];
  const keep = Math.round(tensors.reduce((sum, one) => sum + weightsOf([one]) * (1 - sparsities.get(one)!), 0));
  return targets[0]!.params.normalise === 'lamp'
    ? keptByLamp(tensors, keep)
    : keptByMagnitude(kernels, tensors, keep, signal);
}
