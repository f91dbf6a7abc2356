// Fine-tuning: the chosen layers go on learning from the dataset's train split; everything else stays as it is.
import type { MethodCard } from '../../contract/words/method';
import { whyFrozen } from '../train/trainable';
import { trainLayers } from './cutting/training';
import { settingsOf, trainingParameters } from './cutting/training-card';
import type { Method } from './method';

const card: MethodCard = {
  id: 'finetune',
  title: 'Fine-tune',
  family: 'train',
  help: 'Goes on training the chosen layers on the dataset’s train split, with the loss of its task. The weights that do best on the validation samples are kept; those of the parent are among them, so that the result is never worse there. Weights that pruning set to zero stay zero, quantized layers stay as they are.',
  needs: ['weights', 'gradients'],
  params: [
    ...trainingParameters(),
    {
      id: 'keepZeros',
      label: 'Zeros',
      help: 'In tensors of which more than one weight in twenty is exactly zero, zeros stay: what was pruned stays pruned.',
      kind: 'switch',
      default: true,
      on: 'Stay zero',
      off: 'May grow back',
    },
  ],
  ops: ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Gather', 'LSTM', 'GRU'],
};

export const finetune: Method = {
  card,

  learns: (params) => ({ settings: settingsOf(params), needsLabels: true, passes: 3 }),

  fits({ model }, site) {
    return whyFrozen(model, site);
  },

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    return yield* trainLayers(subject, targets, workshop, {
      title: card.title,
      settings: settingsOf,
      keepsZeros: (params) => params.keepZeros === true,
    });
  },
};
