// The ONNX format: recognise, open, write.
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { Model } from '../../graph/graph';
import { ExternalFiles, noExternalFiles } from './external';
import { Budget } from './limits';
import { readModel } from './read-model';
import { Source } from './source';

export interface Opened {
  readonly model: Model;
  /** Absolute paths as the user named them, the model file first. */
  readonly files: readonly string[];
}

/** By name only: protobuf has no signature, so the content is judged by reading it. */
export function match(path: string): boolean {
  return basename(path).toLowerCase().endsWith('.onnx');
}

/** `path` is absolute. Weights stay where they are; everything else is read and checked. */
export function read(path: string): Opened {
  const name = basename(path);
  const external = new ExternalFiles(path);
  const source = Source.open(realpathSync(path), name);
  try {
    const model = readModel({ source, budget: new Budget(name), external: external.resolve });
    external.checkOverlaps();
    return { model, files: [path, ...external.named] };
  } finally {
    source.close();
  }
}

/** A model that came as bytes; its tensors stay in memory. `name` is what sentences call it. */
export function decode(bytes: Uint8Array, name = 'The model'): Model {
  return readModel({ source: Source.over(bytes, name), budget: new Budget(name), external: noExternalFiles });
}

export async function open(path: string): Promise<Opened> {
  return read(path);
}

export { encode, type WriteOptions, write } from './write';
