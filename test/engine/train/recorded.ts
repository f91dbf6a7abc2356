// The operators that gradients-conv.py recorded: each as a node, its inputs drawn as there.
import { readFileSync } from 'node:fs';
import { elementCount, type Node, type Tensor } from '../../../src/engine/graph/graph';
import { int64Tensor } from '../../../src/engine/graph/tensor';
import { numbersTensor } from '../../../src/engine/train/tape';
import { node, type PlainAttribute } from '../models';

export interface Drawn {
  readonly dims: readonly number[];
  readonly seed: number;
  readonly scale: number;
  readonly mean: number;
}

/** As gradients-conv.py writes them. */
export interface Recorded {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly opset?: number;
  readonly attributes: Readonly<Record<string, PlainAttribute>>;
  readonly inputs: Readonly<Record<string, Drawn>>;
  /** Which input of the node each is, where they do not simply follow each other. */
  readonly slots?: readonly number[];
  /** Sizes of a Resize. */
  readonly sizes?: readonly number[];
  /** Attention with a cache: empty, the sequences full. */
  readonly full?: boolean;
  /** BatchNormalization by the batch. */
  readonly train: boolean;
  readonly outputs: readonly { readonly dims: readonly number[]; readonly values: string }[];
  readonly gradients: Readonly<Record<string, string>>;
}

export const cases = JSON.parse(
  readFileSync(new URL('../../oracles/gradients-conv.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/** Uniform in mean ± scale: the generator of gradients-conv.py. */
export function drawn({ dims, seed, scale, mean }: Drawn): Float32Array {
  let state = seed;
  return Float32Array.from({ length: elementCount(dims) }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return mean + scale * (state / 2 ** 31 - 1);
  });
}

export const unpacked = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

export function nodeOf(one: Recorded): { node: Node; constants: Tensor[] } {
  const names = Object.keys(one.inputs);
  const constants: Tensor[] = [];
  const inputs: string[] = [];
  for (const [i, name] of names.entries()) inputs[one.slots?.[i] ?? i] = name;
  if (one.sizes) {
    inputs[3] = 'sizes';
    constants.push(int64Tensor('sizes', [one.sizes.length], one.sizes));
  }
  if (one.full) {
    const { dims } = one.inputs.q!;
    const last = Array.from({ length: dims[0]! }, () => dims[1]! - 1);
    constants.push(
      numbersTensor('last', 'int32', [last.length], last),
      numbersTensor('total', 'int32', [], [dims[1]!]),
    );
    inputs[5] = 'last';
    inputs[6] = 'total';
  }
  const outputs = one.outputs.map((_, i) => `y${i}`);
  const dense = Array.from(inputs, (name) => name ?? '');
  return { node: node(one.op, dense, outputs, one.attributes, { name: 'it', domain: one.domain }), constants };
}

/** What output elements count in the loss, as in the script. */
export const pullOf = (dims: readonly number[], index: number, output: number): Float32Array =>
  drawn({ dims, seed: 1000 * index + 500 + output, scale: 1, mean: 0 });
