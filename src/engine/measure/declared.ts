// What a dataset declares about a model's inputs, as moments: their preparation alone, no sample.
import { type InputPort, openDataset } from '../data/index';
import type { DatasetReference } from '../tasks';
import { declaredMoments } from './moments-input';
import type { InputMoments } from './moments-values';

/** Formats that hold bytes, 0 … 255. */
const ofBytes = new Set(['idx', 'cifar10-binary', 'image-folder']);

/** By the input's name; inputs of which nothing is declared, or nothing can be told, are missing. */
export async function declaredInputs(
  reference: DatasetReference,
  ports: readonly InputPort[],
): Promise<ReadonlyMap<string, InputMoments>> {
  const { kind, spec } = (await openDataset(reference)).summary;
  const found = new Map<string, InputMoments>();
  for (const { name } of ports) {
    const prepared = spec.inputs?.[name] ?? spec.inputs?.['*'];
    const moments = prepared && declaredMoments(prepared, ofBytes.has(kind));
    if (moments) found.set(name, moments);
  }
  return found;
}
