// The stand-in's datasets, devices and method cards.
import type { LibraryDataset } from '../../../src/contract/words/dataset';
import type { Device } from '../../../src/contract/words/device';
import type { MethodCard } from '../../../src/contract/words/method';

function dataset(
  id: string,
  name: string,
  kind: string,
  samples: number,
  more: Partial<LibraryDataset['summary']> = {},
): LibraryDataset {
  return {
    id,
    origin: 'referenced',
    openedAt: new Date().toISOString(),
    fingerprint: 'ab'.repeat(32),
    summary: {
      path: `/home/ada/data/${id}`,
      name,
      task: 'classification',
      kind,
      splits: [{ name: 'test', samples, labelled: true }],
      classes: 10,
      notes: [],
      spec: { lathe: 1, task: 'classification', splits: { test: { inputs: 'test' } } },
      ...more,
    },
  };
}

export const datasets: LibraryDataset[] = [
  dataset('cifar10', 'CIFAR-10', 'cifar10-binary', 10_000, {
    splits: [
      { name: 'train', samples: 50_000, labelled: true },
      { name: 'test', samples: 10_000, labelled: true },
    ],
  }),
  dataset('photos', 'imagenet-samples', 'image-folder', 1000, {
    task: 'none',
    classes: null,
    splits: [{ name: 'test', samples: 1000, labelled: false }],
    notes: ['Quality is agreement with the parent.'],
  }),
  { ...dataset('shapes', 'shapes', 'idx', 4000, { classes: 6 }), origin: 'sample' },
];

export const devices: Device[] = [
  {
    id: 'raspberry-pi-5',
    title: 'Raspberry Pi 5',
    about: '8 GB, 4×A76',
    memoryBytes: 8e9,
    usableBytes: 7.1e9,
    runtimes: ['onnxruntime'],
    figures: [{ name: 'Memory bandwidth', value: 17.1, unit: 'GB/s', source: 'published', certainty: 'published' }],
  },
  {
    id: 'generic-laptop',
    title: 'Generic laptop',
    about: '16 GB, 8 cores',
    memoryBytes: 16e9,
    usableBytes: 12e9,
    runtimes: ['onnxruntime'],
    figures: [],
  },
];

export const methods: MethodCard[] = [
  {
    id: 'float16',
    title: 'Half precision',
    family: 'quantize',
    help: 'Weights in 16 bits: half the bytes, the same answers.',
    needs: ['weights'],
    ops: ['Conv', 'Gemm', 'MatMul'],
    params: [],
  },
  {
    id: 'int8-dynamic',
    title: 'Dynamic int8',
    family: 'quantize',
    help: 'Weights in 8 bits; activations are measured as they come.',
    needs: ['weights'],
    ops: ['MatMul', 'Gemm'],
    params: [],
  },
  {
    id: 'weight-only',
    title: 'Weight-only',
    family: 'quantize',
    help: 'Weights in 8, 4 or 2 bits with a scale for each group.',
    needs: ['weights'],
    ops: ['MatMul', 'Gemm', 'Conv', 'Gather'],
    params: [
      {
        id: 'bits',
        label: 'Bits',
        help: 'Bits per weight.',
        kind: 'choice',
        default: 4,
        precision: true,
        choices: [8, 4, 2].map((value) => ({ value, label: String(value) })),
      },
      {
        id: 'groupSize',
        label: 'Group size',
        unit: 'weights share a scale',
        help: 'Smaller groups follow the weights more closely and cost more bytes.',
        kind: 'choice',
        default: 32,
        choices: [16, 32, 64, 128, 256, 0].map((value) => ({ value, label: value === 0 ? 'channel' : String(value) })),
      },
      {
        id: 'rounding',
        label: 'Rounding',
        help: 'How codes are chosen.',
        kind: 'choice',
        default: 'nearest',
        choices: [{ value: 'nearest', label: 'nearest' }],
      },
      {
        id: 'symmetric',
        label: 'Levels',
        help: 'With or without a zero point.',
        kind: 'switch',
        default: true,
        on: 'symmetric',
        off: 'asymmetric',
      },
    ],
  },
];
