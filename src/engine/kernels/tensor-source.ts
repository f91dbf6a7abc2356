// A tensor of the graph as kernel threads see it.
import { refuse } from '../../contract/words/refusal';
import { elementCount, type Tensor } from '../graph/graph';
import type { Weights } from './bench';
import type { Source } from './source';

export function sourceOf(tensor: Tensor): Source {
  const { data } = tensor;
  switch (data.kind) {
    case 'file':
      return { kind: 'file', file: data.file, offset: data.offset };
    case 'bytes':
      return { kind: 'bytes', bytes: data.bytes };
    case 'strings':
      return refuse('unsupported', `Tensor ${tensor.name} holds text, not weights.`);
    default:
      return data satisfies never;
  }
}

/** A floating-point tensor of a type that threads read; null for every other type. */
export function floatWeights(tensor: Tensor): (Weights & { readonly count: number }) | null {
  const { dtype } = tensor;
  if (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'bfloat16' && dtype !== 'float64') return null;
  return { source: sourceOf(tensor), element: dtype, count: elementCount(tensor.dims) };
}

/** As `floatWeights`; other types are a refusal that names what was to be done. */
export function requireFloats(tensor: Tensor, what: string): Weights & { readonly count: number } {
  return (
    floatWeights(tensor) ??
    refuse('unsupported', `${tensor.name} holds ${tensor.dtype} elements; only floats can be ${what}.`)
  );
}
