// What the pruning of single weights says of itself: the parameters, the patterns and the warnings that its methods share.
import type { Parameter } from '../../../contract/words/method';
import type { PruneRequest } from '../../kernels';
import type { Params } from '../method';

export const patterns = {
  '2:4': { keep: 2, of: 4 },
  '4:8': { keep: 4, of: 8 },
} as const;

/** What becomes zero. */
export function dropOf({ pattern, sparsity }: Params): PruneRequest['drop'] {
  return pattern === '2:4' || pattern === '4:8' ? patterns[pattern] : { share: Number(sparsity) };
}

/** Sparsity and pattern, in this order. */
export const pruningParameters = (): Parameter[] => [
  {
    id: 'sparsity',
    label: 'Sparsity',
    help: 'Share of each layer’s weights that become zero. Half is often borne without training; beyond that fine-tune afterwards.',
    kind: 'number',
    default: 0.5,
    min: 0,
    max: 0.99,
    step: 0.01,
    when: { pattern: ['unstructured'] },
  },
  {
    id: 'pattern',
    label: 'Pattern',
    help: 'Where the zeros may be. Groups of a pattern are aligned and run along the inputs of one output; of convolutions along input channels and kernel as they are stored.',
    kind: 'choice',
    default: 'unstructured',
    choices: [
      { value: 'unstructured', label: 'Anywhere' },
      {
        value: '2:4',
        label: '2 of 4',
        help: 'Two of each four stay: what sparse tensor cores take. Costs more than half of the weights anywhere.',
      },
      { value: '4:8', label: '4 of 8', help: 'Four of each eight stay: between the other two.' },
    ],
  },
];

export const samplesParameter = (): Parameter => ({
  id: 'samples',
  label: 'Samples',
  help: 'Calibration samples that pass through the model. Above a billion parameters they end at 8,192 tokens.',
  kind: 'number',
  default: 128,
  min: 1,
  max: 4096,
  integer: true,
  logarithmic: true,
});

export const notFaster =
  'Smaller when packed, not faster here: the runtime multiplies zeros like any number, in memory and in its file they take the room of any number, and only a zip is smaller.';
