// The stand-in's history: runs in every state, with documents as `lathe run` prints them.

import type { Evaluation } from '../../../src/contract/words/quality';
import type { Recipe } from '../../../src/contract/words/recipe';
import type { Machine, RunDocument, RunLogLine, RunRow } from '../../../src/contract/words/run';
import { artifacts, parent } from './models';
import { randomOf } from './random';

export const machine: Machine = {
  platform: 'linux',
  arch: 'x64',
  cpu: 'AMD Ryzen 7 7840U',
  cores: 8,
  cpuFeatures: ['avx2', 'avx512', 'vnni'],
  memoryBytes: 32e9,
  node: '24.21.0',
  onnxruntime: '1.30.0',
  threads: 4,
};

export const baseline: Evaluation = {
  quality: { metric: 'accuracy', value: 0.9452, n: 10_000, ci95: [0.9406, 0.9495], correct: 9452 },
  latencyMs: { p50: 9.84, p95: 10.41, batch: 1, threads: 4, runs: 50, warmup: 10 },
  bytes: parent.summary.bytes,
  peakBytes: 4.1e8,
  notes: [],
};

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

function evaluation(value: number, p50: number, bytes: number): Evaluation {
  const half = 1.96 * Math.sqrt((value * (1 - value)) / 10_000);
  return {
    ...baseline,
    bytes,
    quality: {
      metric: 'accuracy',
      value,
      n: 10_000,
      ci95: [value - half, value + half],
      correct: Math.round(value * 1e4),
    },
    latencyMs: { p50, p95: p50 * 1.06, batch: 1, threads: 4, runs: 50, warmup: 10 },
  };
}

const recipes = {
  int8: { lathe: 1, name: 'int8, per channel', steps: [{ method: 'weight-only', params: { bits: 8, groupSize: 0 } }] },
  int4: {
    lathe: 1,
    name: 'int4 body, int8 ends',
    seed: 7,
    steps: [
      {
        method: 'weight-only',
        params: { bits: 4, groupSize: 32 },
        overrides: { conv1: { bits: 8 }, 'layer2.0.conv1': { bits: 8 }, fc: { bits: 8 } },
      },
    ],
  },
  half: { lathe: 1, name: 'float16', steps: [{ method: 'float16', params: {} }] },
} as const satisfies Record<string, Recipe>;

function document(row: RunRow, bitsOf: (parameters: number) => number, after: Evaluation): RunDocument {
  const random = randomOf(row.id);
  return {
    run: {
      id: row.id,
      modelSha256: '9f317ab0'.repeat(8),
      recipe: row.recipe,
      seed: row.seed,
      lathe: '0.1.0',
      machine,
      createdAt: row.createdAt,
    },
    artifact: {
      path: `/home/ada/.lathe/library/${row.id}`,
      sha256: '52d4c2e0'.repeat(8),
      bytes: row.bytes ?? 0,
      files: [],
    },
    baseline,
    compressed: after,
    agreement: { top1: 0.984, klDivergence: 0.012, cosine: 0.998, flips: 160, n: 10_000 },
    changed: Array.from({ length: 24 }, (_, at) => ({
      index: at * 37,
      label: at % 10,
      before: at % 3 ? at % 10 : (at + 1) % 10,
      after: at % 3 ? (at + 3) % 10 : at % 10,
    })),
    layers: parent.layers.map((layer) => {
      const bits = bitsOf(layer.parameters);
      return {
        name: layer.name,
        methods: [row.recipe.steps[0]?.method ?? ''],
        bits,
        shapeBefore: layer.shape,
        shapeAfter: layer.shape,
        bytesBefore: layer.bytes,
        bytesAfter: Math.ceil((layer.parameters * bits) / 8) + (layer.shape[0] ?? 0) * 4,
        sqnrDb: bits === 16 ? 72 + random() * 3 : bits * 6 - 4 + random() * 4,
      };
    }),
    fused: { 'com.microsoft:MatMulNBits': 1 },
    notes: ['conv1 has 27 weights a channel, fewer than a group of 32: one scale per channel used.'],
    seconds: 134,
    peakBytes: 9.1e8,
  };
}

const blank = {
  startedAt: null,
  finishedAt: null,
  modelId: parent.id,
  model: parent.name,
  modelSha256: '9f317ab0'.repeat(8),
  datasetId: 'cifar10',
  dataset: 'CIFAR-10',
  seed: 7,
  bytes: null,
  metric: null,
  value: null,
  progress: null,
  error: null,
  document: null,
  artifactModelId: null,
  kind: 'compress',
  owner: null,
} as const;

function done(
  number: number,
  minutes: number,
  recipe: Recipe,
  bytes: number,
  value: number,
  p50: number,
  bitsOf: (parameters: number) => number,
  more: Partial<RunRow> = {},
): RunRow {
  const row: RunRow = {
    ...blank,
    id: `run${number}`,
    number,
    state: 'done',
    createdAt: ago(minutes + 3),
    startedAt: ago(minutes + 2),
    finishedAt: ago(minutes),
    recipe,
    bytes,
    metric: 'accuracy',
    value,
    ...more,
  };
  return { ...row, document: document(row, bitsOf, evaluation(value, p50, bytes)) };
}

const [int8, int4] = artifacts;

export const rows: RunRow[] = [
  {
    ...blank,
    id: 'run43',
    number: 43,
    state: 'queued',
    createdAt: ago(1),
    recipe: recipes.half,
  },
  {
    ...blank,
    id: 'run42',
    number: 42,
    state: 'running',
    createdAt: ago(6),
    startedAt: ago(5),
    recipe: { ...recipes.int4, name: 'int4, groups of 16' },
    owner: { pid: 4711, here: true },
    progress: {
      stage: 'apply',
      text: 'Weight-only, layer 12 of 21',
      done: 12,
      total: 21,
      share: 0.58,
      secondsLeft: 250,
      secondsLeftBand: 40,
      stages: [
        { stage: 'fit', seconds: 0.3, state: 'done' },
        { stage: 'gather', seconds: 41, state: 'done' },
        { stage: 'apply', seconds: 182, state: 'now' },
        { stage: 'write', seconds: 3, state: 'todo' },
        { stage: 'reload', seconds: 9, state: 'todo' },
        { stage: 'evaluate', seconds: 60, state: 'todo' },
        { stage: 'time', seconds: 8, state: 'todo' },
      ],
      memoryBytes: 1.11e9,
      peakBytes: 1.16e9,
    },
  },
  done(38, 95, recipes.int4, int4.summary.bytes, 0.9412, 10.2, (n) => (n < 40_000 ? 8 : 4), {
    artifactModelId: int4.id,
  }),
  {
    ...blank,
    id: 'run37',
    number: 37,
    state: 'failed',
    createdAt: ago(120),
    startedAt: ago(119),
    finishedAt: ago(118),
    recipe: { lathe: 1, name: '3 bits everywhere', steps: [{ method: 'weight-only', params: { bits: 3 } }] },
    error: {
      code: 'unsupported',
      sentence: 'No runtime here runs 3-bit weights. steps[0].params.bits must be 2, 4 or 8.',
      mend: 'Use 4 bits.',
      place: 'steps[0].params.bits',
    },
  },
  done(36, 140, recipes.int8, int8.summary.bytes, 0.9444, 4.19, () => 8, { artifactModelId: int8.id }),
  {
    ...blank,
    id: 'run34',
    number: 34,
    state: 'interrupted',
    createdAt: ago(300),
    startedAt: ago(299),
    finishedAt: ago(290),
    recipe: recipes.int8,
    error: { code: 'engine-died', sentence: 'Power went at 14:02, during Gather. 212 of 512 samples kept.' },
  },
  done(27, 1500, recipes.half, 22_340_000, 0.9452, 10.9, () => 16),
  {
    ...blank,
    id: 'run24',
    number: 24,
    kind: 'evaluate',
    state: 'done',
    createdAt: ago(1600),
    startedAt: ago(1599),
    finishedAt: ago(1598),
    recipe: { lathe: 1, steps: [{ method: 'none', params: {} }] },
    bytes: parent.summary.bytes,
    metric: 'accuracy',
    value: 0.9452,
  },
];

export const log: RunLogLine[] = [
  { at: ago(5), level: 'info', text: 'Gathered 128 samples once, for step 1.' },
  {
    at: ago(4),
    level: 'warn',
    text: 'conv1 has 27 weights a channel, fewer than a group of 32: one scale per channel used.',
    layer: 'conv1',
  },
  { at: ago(3), level: 'info', text: '12 of 21 layers cut.' },
];
