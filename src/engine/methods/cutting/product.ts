// What stands around the product of a MatMul or Gemm when the product itself is replaced: Transpose before, alpha and beta·C behind.
import { intsAttribute, makeNode, readFloat, readInt } from '../../graph/edit';
import type { Node } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { float16FromFloat32 } from '../../graph/tensor';
import type { Rewrite } from './rewrite';

/** An operation with one further operand, applied to the product. */
export interface ProductStep {
  readonly op: 'Mul' | 'Add';
  readonly operand: string;
}

export interface Around {
  /** Nodes that must stand in front. */
  readonly nodes: Node[];
  /** The left-hand matrix, not transposed any more. */
  readonly input: string;
  readonly steps: ProductStep[];
}

/** Y = alpha · A′ · B′ + beta · C of a Gemm; a MatMul has nothing around it. */
export function around(rewrite: Rewrite, site: LayerSite, type: 'float32' | 'float16'): Around {
  const { node } = site;
  const output = node.outputs[0]!;
  const found: Around = { nodes: [], input: node.inputs[0]!, steps: [] };
  if (node.op !== 'Gemm') return found;
  const constant = (suffix: string, value: number): string => {
    const values = type === 'float32' ? Float32Array.of(value) : Uint16Array.of(float16FromFloat32(value));
    const bytes = new Uint8Array(values.buffer);
    return rewrite.store(site.graph, `${output}_${suffix}`, type, [], { kind: 'bytes', bytes }).name;
  };
  let { input } = found;
  if (readInt(node, 'transA', 0) === 1) {
    const turned = rewrite.name(`${output}_turned`);
    found.nodes.push(makeNode('Transpose', [input], [turned], { attributes: { perm: intsAttribute([1, 0]) } }));
    input = turned;
  }
  const alpha = readFloat(node, 'alpha', 1);
  if (alpha !== 1) found.steps.push({ op: 'Mul', operand: constant('alpha', alpha) });
  let operand = node.inputs[2] ?? '';
  const beta = readFloat(node, 'beta', 1);
  if (operand !== '' && beta !== 1) {
    const scaled = rewrite.name(`${output}_addend`);
    found.nodes.push(makeNode('Mul', [operand, constant('beta', beta)], [scaled]));
    operand = scaled;
  }
  if (operand !== '') found.steps.push({ op: 'Add', operand });
  return { ...found, input };
}

/** The steps one after another; the last one makes `output`. */
export function chain(rewrite: Rewrite, from: string, steps: readonly ProductStep[], output: string): Node[] {
  let at = from;
  return steps.map(({ op, operand }, i) => {
    const next = i === steps.length - 1 ? output : rewrite.name(`${output}_scaled`);
    const node = makeNode(op, [at, operand], [next]);
    at = next;
    return node;
  });
}
