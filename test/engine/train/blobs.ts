// A dataset of three clouds of points in memory, a small network for it, and a training of it: what tests of the loop share.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch, Dataset } from '../../../src/engine/data';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import type { TrainAsk, TrainSettings } from '../../../src/engine/train/ask';
import { train } from '../../../src/engine/train/loop';
import { objectiveOf } from '../../../src/engine/train/objective';
import type { Parameter } from '../../../src/engine/train/optimizer';
import { partsOf } from '../../../src/engine/train/training-data';
import { model, node, randomNumbers, randomWeights, value } from '../models';

const width = 8;

/** Points around three centres; labels by centre. */
export function blobs(counts: Partial<Record<'train' | 'validation' | 'test', number>>, spread = 1): Dataset {
  const splits = Object.entries(counts).map(([name, samples]) => ({ name, samples: samples ?? 0, labelled: true }));
  const draw = (split: string, index: number): { point: number[]; label: number } => {
    const random = randomNumbers(index * 3 + split.length * 7919 + 11);
    const label = Math.floor(random() * 3);
    const around = () => (random() + random() + random() - 1.5) * spread;
    return { label, point: Array.from({ length: width }, (_, i) => (i % 3 === label ? 1 : 0) + around()) };
  };
  return {
    summary: {
      path: '/blobs',
      name: 'blobs',
      task: 'classification',
      kind: 'npy',
      splits: splits as Dataset['summary']['splits'],
      classes: 3,
      notes: [],
      spec: { lathe: 1, task: 'classification', splits: {} },
    },
    files: [],
    samples: (name) => (name === 'calibration' ? 0 : (counts[name] ?? 0)),
    notes: () => [],
    adaptations: () => [],
    async *batches(split, _ports, { batch, from = 0, limit = Number.POSITIVE_INFINITY }): AsyncGenerator<Batch> {
      const end = Math.min(from + limit, counts[split as 'train'] ?? 0);
      for (let at = from; at < end; at += batch) {
        const drawn = Array.from({ length: Math.min(batch, end - at) }, (_, i) => draw(split, at + i));
        const data = Float32Array.from(drawn.flatMap(({ point }) => point));
        yield {
          feeds: { x: { dtype: 'float32', dims: [drawn.length, width], data } },
          labels: Int32Array.from(drawn, ({ label }) => label),
          targets: null,
          index: at,
          samples: drawn.length,
        };
      }
    },
  };
}

/** x[N, 8] → 16 → Dropout → 3. */
export function blobNet(dropout = 0): Model {
  const hidden = 16;
  const drop = [node('Dropout', ['h', 'ratio'], ['d'])];
  return model({
    name: 'blob-net',
    inputs: [value('x', 'float32', ['n', width])],
    outputs: [value('y', 'float32', ['n', 3])],
    nodes: [
      node('Gemm', ['x', 'a.weight', 'a.bias'], ['a'], { transB: 1 }),
      node('Relu', ['a'], ['h']),
      ...(dropout > 0 ? drop : []),
      node('Gemm', [dropout > 0 ? 'd' : 'h', 'b.weight', 'b.bias'], ['y'], { transB: 1 }),
    ],
    initializers: [
      floatTensor('a.weight', [hidden, width], randomWeights(hidden * width, 0.4, 1)),
      floatTensor('a.bias', [hidden], new Float32Array(hidden)),
      floatTensor('b.weight', [3, hidden], randomWeights(3 * hidden, 0.3, 2)),
      floatTensor('b.bias', [3], new Float32Array(3)),
      ...(dropout > 0 ? [floatTensor('ratio', [], [dropout])] : []),
    ],
  });
}

export const blobParameters: readonly Parameter[] = [
  { name: 'a.weight', dims: [16, width], count: 16 * width, decays: true },
  { name: 'a.bias', dims: [16], count: 16, decays: false },
  { name: 'b.weight', dims: [3, 16], count: 48, decays: true },
  { name: 'b.bias', dims: [3], count: 3, decays: false },
];

export const usual: TrainSettings = {
  epochs: 4,
  batch: 16,
  learningRate: 0.01,
  schedule: 'cosine',
  warmUp: 0.05,
  optimizer: { kind: 'adamw', weightDecay: 0.01, momentum: 0.9, nesterov: true },
  clip: 1,
  augmentation: { flip: false, shift: 0, crop: 1 },
  patience: 0,
  normsByBatch: true,
};

export async function trainBlobs(ask: Partial<Omit<TrainAsk, 'settings'>> & { settings?: Partial<TrainSettings> }) {
  return train({
    model: blobNet(),
    ports: [{ name: 'x', dtype: 'float32', shape: ['n', width] }],
    parameters: blobParameters,
    objective: objectiveOf('classification', 'y'),
    data: partsOf(blobs({ train: 200, validation: 40, test: 40 })),
    seed: 7,
    folder: await mkdtemp(join(tmpdir(), 'lathe-train-')),
    signal: new AbortController().signal,
    stopping: () => false,
    tell: () => {},
    tellReading: () => {},
    curve: () => {},
    ...ask,
    settings: { ...usual, ...ask.settings },
  });
}
