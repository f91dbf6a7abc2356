// Parameters that every training method has on its card, and what the loop makes of them.
import type { Parameter } from '../../../contract/words/method';
import type { TrainSettings } from '../../train/ask';
import type { Params } from '../method';

/** What a method sets otherwise than fine-tuning does. */
export interface Usual {
  readonly epochs?: number;
  readonly learningRate?: number;
}

/** Shown behind the method's own parameters. */
export function trainingParameters({ epochs = 3, learningRate = 3e-4 }: Usual = {}): Parameter[] {
  return [
    {
      id: 'epochs',
      label: 'Epochs',
      help: 'How often every sample of the train split is seen. The best weights on the validation samples are kept, not the last.',
      kind: 'number',
      default: epochs,
      min: 0.01,
      max: 1000,
      logarithmic: true,
    },
    {
      id: 'learningRate',
      label: 'Learning rate',
      help: 'How far a step moves the weights. A tenth of what the model was first trained with is a good start; the loss must fall from the first points on.',
      kind: 'number',
      default: learningRate,
      min: 1e-7,
      max: 1,
      logarithmic: true,
    },
    {
      id: 'batch',
      label: 'Batch',
      unit: 'samples',
      help: 'Samples of one step. A model that takes fewer at a time is run several times before its weights move.',
      kind: 'number',
      default: 32,
      min: 1,
      max: 4096,
      integer: true,
      logarithmic: true,
    },
    {
      id: 'schedule',
      label: 'Schedule',
      help: 'The way of the learning rate from its highest to the end.',
      kind: 'choice',
      default: 'cosine',
      choices: [
        { value: 'cosine', label: 'Cosine' },
        { value: 'linear', label: 'Linear' },
        { value: 'constant', label: 'Constant' },
      ],
    },
    {
      id: 'warmUp',
      label: 'Warm-up',
      help: 'Share of the steps in which the learning rate rises, so that the first gradients do not throw the weights far.',
      kind: 'number',
      default: 0.05,
      min: 0,
      max: 0.5,
      step: 0.01,
    },
    {
      id: 'optimizer',
      label: 'Optimizer',
      help: 'AdamW fits its steps to each weight and needs little care. SGD with momentum takes a third less memory and wants a learning rate about a hundred times higher.',
      kind: 'choice',
      default: 'adamw',
      choices: [
        { value: 'adamw', label: 'AdamW' },
        { value: 'sgd', label: 'SGD' },
      ],
    },
    {
      id: 'momentum',
      label: 'Momentum',
      help: 'Share of the last step that goes on.',
      kind: 'number',
      default: 0.9,
      min: 0,
      max: 0.999,
      step: 0.01,
      when: { optimizer: ['sgd'] },
    },
    {
      id: 'nesterov',
      label: 'Look ahead',
      help: 'Nesterov’s form: the gradient counts from where the momentum leads.',
      kind: 'switch',
      default: true,
      on: 'Nesterov',
      off: 'Plain',
      when: { optimizer: ['sgd'] },
    },
    {
      id: 'weightDecay',
      label: 'Weight decay',
      help: 'How strongly weights are drawn to zero; biases and norms are not.',
      kind: 'number',
      default: 0.01,
      min: 0,
      max: 1,
      step: 0.001,
    },
    {
      id: 'clip',
      label: 'Clipping',
      help: 'The longest a step’s gradient may be, over all weights; 0 clips nothing.',
      kind: 'number',
      default: 1,
      min: 0,
      max: 1000,
    },
    {
      id: 'patience',
      label: 'Patience',
      unit: 'judgements',
      help: 'Looks at the validation samples without a better one, once an epoch and four times at least, after which training ends; 0 never ends early.',
      kind: 'number',
      default: 5,
      min: 0,
      max: 1000,
      integer: true,
    },
    {
      id: 'norms',
      label: 'Batch norms',
      help: 'Norms over the batch follow the batches of the training, or stay as they were measured before. Below 8 samples at a time they always stay.',
      kind: 'choice',
      default: 'batch',
      choices: [
        { value: 'batch', label: 'Follow' },
        { value: 'frozen', label: 'Stay' },
      ],
    },
    {
      id: 'flip',
      label: 'Mirror',
      help: 'Pictures are mirrored left to right every other time. Not for digits and letters.',
      kind: 'switch',
      default: false,
      on: 'Mirrored at random',
      off: 'As they are',
    },
    {
      id: 'shift',
      label: 'Shift',
      unit: 'pixels',
      help: 'Pictures are moved by up to so many pixels.',
      kind: 'number',
      default: 0,
      min: 0,
      max: 64,
      integer: true,
    },
    {
      id: 'crop',
      label: 'Smallest cut',
      help: 'Pictures are cut to this share of their side at least, and drawn out to their size again; 1 leaves them whole.',
      kind: 'number',
      default: 1,
      min: 0.5,
      max: 1,
      step: 0.01,
    },
  ];
}

export function settingsOf(params: Params): TrainSettings {
  return {
    epochs: Number(params.epochs),
    batch: Number(params.batch),
    learningRate: Number(params.learningRate),
    schedule: params.schedule as TrainSettings['schedule'],
    warmUp: Number(params.warmUp),
    optimizer: {
      kind: params.optimizer as TrainSettings['optimizer']['kind'],
      weightDecay: Number(params.weightDecay),
      momentum: Number(params.momentum),
      nesterov: params.nesterov === true,
    },
    clip: Number(params.clip),
    augmentation: { flip: params.flip === true, shift: Number(params.shift), crop: Number(params.crop) },
    patience: Number(params.patience),
    normsByBatch: params.norms === 'batch',
  };
}
