// A run's row for tests of pages: a finished compression, with whatever a test wants otherwise.
import type { Evaluation } from '../../../src/contract/words/quality';
import type { RunDocument, RunRow } from '../../../src/contract/words/run';
import { machine } from '../stand-in/runs';

export const evaluation = (value: number, bytes: number, p50 = 2): Evaluation => ({
  quality: {
    metric: 'accuracy',
    value,
    n: 1000,
    ci95: [value - 0.01, value + 0.01],
    correct: Math.round(value * 1000),
  },
  latencyMs: { p50, p95: p50 * 1.1, batch: 1, threads: 4, runs: 50 },
  bytes,
  notes: [],
});

export const document = (more: Partial<RunDocument> = {}): RunDocument => ({
  run: {
    id: 'r1',
    modelSha256: 'a'.repeat(64),
    recipe: { lathe: 1, steps: [{ method: 'weight-only', params: {} }] },
    seed: 0,
    lathe: '0.1.0',
    machine,
    createdAt: '2026-01-02T03:04:05.000Z',
  },
  artifact: { path: '/x', sha256: 'b'.repeat(64), bytes: 250_000, files: [] },
  layers: [],
  fused: {},
  notes: [],
  seconds: 4,
  peakBytes: 1e8,
  ...more,
});

export const runRow = (number: number, more: Partial<RunRow> = {}): RunRow => ({
  id: `r${number}`,
  number,
  state: 'done',
  createdAt: `2026-01-02T03:04:${String(number).padStart(2, '0')}.000Z`,
  startedAt: '2026-01-02T03:04:05.000Z',
  finishedAt: '2026-01-02T03:04:09.000Z',
  modelId: 'm',
  model: 'resnet18',
  modelSha256: null,
  recipe: { lathe: 1, steps: [{ method: 'weight-only', params: {} }] },
  datasetId: null,
  dataset: null,
  seed: 0,
  bytes: 250_000,
  metric: null,
  value: null,
  progress: null,
  error: null,
  document: null,
  artifactModelId: `a${number}`,
  kind: 'compress',
  owner: null,
  ...more,
});
