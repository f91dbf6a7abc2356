// Bundle: a folder for one device: files, manifest, evidence, golden inputs and outputs, a verifier.
import { z } from 'zod';
import { bytes, fileEntry, port, sha256 } from './model';

export const bundleDocument = z.object({
  bundle: z.object({
    path: z.string(),
    files: z.array(fileEntry),
    /** Beside the folder, where one was asked for. */
    zip: z.object({ path: z.string(), bytes }).optional(),
  }),
});
export type BundleDocument = z.infer<typeof bundleDocument>;

export const verifyDocument = z.object({
  ok: z.boolean(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});
export type VerifyDocument = z.infer<typeof verifyDocument>;

/** `manifest.json` of a bundle, version 1. */
export const bundleManifest = z.object({
  lathe: z.literal(1),
  id: z.string(),
  parent: z.object({ sha256: sha256, name: z.string() }).optional(),
  device: z.object({ id: z.string(), title: z.string() }),
  runtime: z.object({
    name: z.string(),
    version: z.string(),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  model: z.object({ file: z.string(), sha256, bytes, opset: z.number() }),
  /** Names by class index, where the model answers with classes. */
  classes: z.array(z.string()).optional(),
  inputs: z.array(port.extend({ preprocessing: z.unknown().optional() })),
  outputs: z.array(
    port.extend({
      tolerance: z.object({ kind: z.enum(['exact', 'relative']), value: z.number(), argmax: z.boolean() }),
    }),
  ),
  golden: z.array(z.object({ inputs: z.record(z.string(), z.string()), outputs: z.record(z.string(), z.string()) })),
  files: z.array(fileEntry),
});
export type BundleManifest = z.infer<typeof bundleManifest>;

/** A part of a bundle before it is written, with its predicted size. */
export const bundlePart = z.object({ name: z.string(), bytes });
export type BundlePart = z.infer<typeof bundlePart>;
