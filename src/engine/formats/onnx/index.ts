// The ONNX format: recognise, open, write.
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Model } from '../../graph/graph';
import { ExternalFiles, noExternalFiles } from './external';
import { Budget } from './limits';
import { readModel } from './read-model';
import { sound } from './sound';
import { Source } from './source';

export interface Opened {
  readonly model: Model;
  /** Absolute paths as the user named them, the model file first. */
  readonly files: readonly string[];
  /** What was not as ONNX wants it and was put right. */
  readonly notes: readonly string[];
}

/** By name only: protobuf has no signature, so the content is judged by reading it. */
export function match(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

/** `path` is absolute. Weights stay where they are; everything else is read and checked. */
export async function open(path: string): Promise<Opened> {
  const name = basename(path);
  const external = new ExternalFiles(path);
  const source = Source.open(realpathSync(path), name);
  try {
    const model = readModel({ source, budget: new Budget(name), external: external.resolve });
    external.checkOverlaps();
    return { ...sound(model, name), files: [path, ...external.named] };
  } finally {
    source.close();
  }
}

/** A model that came as bytes; its tensors stay in memory. `name` is what sentences call it. */
export function decode(bytes: Uint8Array, name = 'The model'): Model {
  const model = readModel({ source: Source.over(bytes, name), budget: new Budget(name), external: noExternalFiles });
  return sound(model, name).model;
}

export { encode, type WriteOptions, write } from './write';
