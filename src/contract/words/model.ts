// Model and layer: what was opened, where its bytes are, and what its weights look like.
import { z } from 'zod';

export const bytes = z.number().int().nonnegative();
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A file of a model, dataset, artifact or bundle; the path is relative and uses `/`. */
export const fileEntry = z.object({ path: z.string(), sha256, bytes });
export type FileEntry = z.infer<typeof fileEntry>;

export const port = z.object({
  name: z.string(),
  dtype: z.string(),
  /** A size, a symbol, or null where nothing is known. */
  shape: z.array(z.union([z.number(), z.string(), z.null()])),
});
export type Port = z.infer<typeof port>;

/** 256 equal bins over [min, max], the last edge inclusive. */
export const histogram = z.object({ min: z.number(), max: z.number(), counts: z.array(z.number()) });
export type Histogram = z.infer<typeof histogram>;

/** Statistics over dequantized values in float64; `std` of the population, `kurtosis` m4/m2² (normal: 3). */
export const statistics = z.object({
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  absMax: z.number().nullable(),
  kurtosis: z.number().nullable(),
  zeros: z.number(),
  nonFinite: z.number(),
  /** Share of weights beyond 6 σ, 0…1. */
  outliers: z.number().nullable(),
  histogram: histogram.nullable(),
  /** [min, max] of each output channel, thinned to at most 512 channels. */
  channels: z
    .object({ axis: z.number(), count: z.number(), min: z.array(z.number()), max: z.array(z.number()) })
    .optional(),
});
export type Statistics = z.infer<typeof statistics>;

export const layer = z.object({
  /** Stable: the node's unique name, else its weight's name, else `Op_index`; `parent/then/…` inside subgraphs. */
  name: z.string(),
  op: z.string(),
  /** The weight's shape. */
  shape: z.array(z.number()),
  dtype: z.string(),
  parameters: z.number(),
  /** Scales and zero points included. */
  bytes,
  /** Multiply-accumulates for batch 1; null where a shape is unknown. */
  macs: z.number().nullable(),
  /** Bits per stored weight. */
  bits: z.number(),
  /** Name of a layer that shares this weight and counts it. */
  tiedTo: z.string().optional(),
  stats: statistics.optional(),
});
export type Layer = z.infer<typeof layer>;

export const modelSummary = z.object({
  path: z.string(),
  format: z.string(),
  /** Null while it is still being read. */
  sha256: sha256.nullable(),
  bytes,
  parameters: z.number(),
  constantBytes: z.number(),
  opset: z.number().optional(),
  inputs: z.array(port),
  outputs: z.array(port),
});
export type ModelSummary = z.infer<typeof modelSummary>;

/** What `lathe inspect --json` prints. */
export const inspectDocument = z.object({ model: modelSummary, layers: z.array(layer) });
export type InspectDocument = z.infer<typeof inspectDocument>;

/** A row of the library: everything a card shows. */
export const libraryModel = z.object({
  id: z.string(),
  name: z.string(),
  summary: modelSummary,
  /** Layers without statistics; those follow through `models.inspect`. */
  layers: z.array(layer),
  /** Operators and how often they occur, most frequent first. */
  operators: z.array(z.object({ op: z.string(), count: z.number() })),
  /** 0…1 while the SHA-256 is being computed. */
  hashed: z.number(),
  /** `referenced`: stays where it is; `stored`: uploaded into the library; `artifact`: made by a run; `sample`: ships with Lathe. */
  origin: z.enum(['referenced', 'stored', 'artifact', 'sample']),
  runId: z.string().optional(),
  openedAt: z.string(),
  /** Things worth a sentence: external data, functions inlined, subgraph weights… */
  notes: z.array(z.string()),
  /** Set when the file is gone or changed since it was opened. */
  refusal: z.object({ code: z.string(), sentence: z.string(), mend: z.string().optional() }).optional(),
});
export type LibraryModel = z.infer<typeof libraryModel>;

/** One event of a statistics sweep. */
export const inspectEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('layer'), name: z.string(), stats: statistics, done: z.number(), total: z.number() }),
  z.object({ kind: z.literal('done') }),
]);
export type InspectEvent = z.infer<typeof inspectEvent>;
