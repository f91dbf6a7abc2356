// A method card for tests of the Recipe page: one precision and one switch that hangs on it.
import type { MethodCard } from '../../../../src/contract/words/method';

export const card: MethodCard = {
  id: 'weight-only',
  title: 'Weight-only',
  family: 'quantize',
  help: '',
  needs: ['weights'],
  ops: ['MatMul'],
  params: [
    {
      id: 'bits',
      kind: 'choice',
      label: 'Bits',
      help: '',
      default: 4,
      precision: true,
      choices: [8, 4, 2].map((value) => ({ value, label: `${value}` })),
    },
    {
      id: 'symmetric',
      kind: 'switch',
      label: 'Levels',
      help: '',
      default: true,
      on: 'symmetric',
      off: 'asymmetric',
      when: { bits: [4, 8] },
    },
  ],
};
