// Run: model × recipe × dataset × seed → artifact and quality; what history remembers.
import { z } from 'zod';
import { bytes, fileEntry, sha256 } from './model';
import { agreement, changedAnswer, evaluation } from './quality';
import { recipe, step } from './recipe';
import { refusal } from './refusal';
import { curvePoint, trainingRecord } from './training';

export const runStates = ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted'] as const;
export const runState = z.enum(runStates);
export type RunState = z.infer<typeof runState>;

/** Where and with what a run was made; a replay elsewhere says what differs. */
export const machine = z.object({
  platform: z.string(),
  arch: z.string(),
  cpu: z.string(),
  cores: z.number().int(),
  cpuFeatures: z.array(z.string()),
  memoryBytes: bytes,
  node: z.string(),
  onnxruntime: z.string(),
  threads: z.number().int(),
});
export type Machine = z.infer<typeof machine>;

export const layerOutcome = z.object({
  name: z.string(),
  methods: z.array(z.string()),
  bits: z.number().optional(),
  sparsity: z.number().optional(),
  shapeBefore: z.array(z.number()),
  shapeAfter: z.array(z.number()),
  bytesBefore: bytes,
  bytesAfter: bytes,
  sqnrDb: z.number().nullable().optional(),
  outputSqnrDb: z.number().nullable().optional(),
  refusal: refusal.optional(),
});
export type LayerOutcome = z.infer<typeof layerOutcome>;

export const artifact = z.object({ path: z.string(), sha256, bytes, files: z.array(fileEntry) });
export type Artifact = z.infer<typeof artifact>;

/** What `lathe run --json` and `history show` print, and what `run.json` holds. */
export const runDocument = z.object({
  run: z.object({
    id: z.string(),
    parentId: z.string().optional(),
    modelSha256: sha256,
    recipe,
    seed: z.number().int(),
    lathe: z.string(),
    machine,
    dataset: z.object({ name: z.string(), fingerprint: z.string() }).optional(),
    createdAt: z.string(),
  }),
  artifact,
  baseline: evaluation.optional(),
  compressed: evaluation.optional(),
  agreement: agreement.optional(),
  changed: z.array(changedAnswer).optional(),
  layers: z.array(layerOutcome),
  /** Operators of the optimised graph that compute on integers or packed weights, by count. */
  fused: z.record(z.string(), z.number()),
  /** Layers that kept or lost precision or fusion, each with its reason. */
  notes: z.array(z.string()),
  /** Of each step that trained, in order. */
  training: z.array(trainingRecord).optional(),
  seconds: z.number(),
  /** Where the seconds went, in the order of the work. */
  stages: z.array(z.object({ stage: z.string(), seconds: z.number() })).optional(),
  peakBytes: bytes,
});
export type RunDocument = z.infer<typeof runDocument>;

/** The stages of a run, in order. */
export const stages = ['fit', 'gather', 'train', 'apply', 'write', 'reload', 'evaluate', 'time'] as const;
export type Stage = (typeof stages)[number];

export const progress = z.object({
  stage: z.string(),
  /** The user's words: "Weight-only, layer 12 of 21". */
  text: z.string(),
  done: z.number(),
  total: z.number(),
  /** 0…1 over the whole job. */
  share: z.number(),
  secondsLeft: z.number().nullable(),
  /** ± on secondsLeft. */
  secondsLeftBand: z.number().nullable(),
  /** Seconds spent in each stage so far, and expected for those to come. */
  stages: z.array(z.object({ stage: z.string(), seconds: z.number(), state: z.enum(['done', 'now', 'todo']) })),
  memoryBytes: z.number(),
  peakBytes: z.number(),
});
export type Progress = z.infer<typeof progress>;

/** A row of history and of the queue. */
export const runRow = z.object({
  id: z.string(),
  /** Small, stable, per workspace: "Run 42". */
  number: z.number().int(),
  state: runState,
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  modelId: z.string(),
  model: z.string(),
  modelSha256: sha256.nullable(),
  /** Without steps for an evaluation. */
  recipe: recipe.extend({ steps: z.array(step) }),
  datasetId: z.string().nullable(),
  dataset: z.string().nullable(),
  seed: z.number().int(),
  parentId: z.string().optional(),
  bytes: z.number().nullable(),
  metric: z.string().nullable(),
  value: z.number().nullable(),
  progress: progress.nullable(),
  error: refusal.nullable(),
  document: runDocument.nullable(),
  /** The library model that holds the artifact. */
  artifactModelId: z.string().nullable(),
  /** `measured` parent runs have no recipe steps; kind tells what the run did. */
  kind: z.enum(['compress', 'evaluate', 'replay']),
  owner: z.object({ pid: z.number(), here: z.boolean() }).nullable(),
});
export type RunRow = z.infer<typeof runRow>;

/** What an interrupted run left of its work, to go on from. */
export const runCheckpoint = z.object({
  at: z.string(),
  bytes,
  tensors: z.number().int(),
  /** Of the training that was under way. */
  step: z.number().int().optional(),
});
export type RunCheckpoint = z.infer<typeof runCheckpoint>;

export const runLogLine = z.object({
  at: z.string(),
  level: z.enum(['info', 'warn', 'bad']),
  text: z.string(),
  layer: z.string().optional(),
});
export type RunLogLine = z.infer<typeof runLogLine>;

export const runEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('row'), row: runRow }),
  z.object({ kind: z.literal('progress'), id: z.string(), progress }),
  z.object({ kind: z.literal('curve'), id: z.string(), point: curvePoint }),
  z.object({ kind: z.literal('log'), id: z.string(), line: runLogLine }),
  z.object({ kind: z.literal('removed'), id: z.string() }),
]);
export type RunEvent = z.infer<typeof runEvent>;
