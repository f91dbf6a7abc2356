// Dropout in the form that trains: every Dropout multiplies by a mask that is fed, so that its seed is ours and a resumed training sees the same.
import { freshName, makeNode, namesIn, replaceNodes, withoutUnused } from '../graph/edit';
import type { Model, Node, Value } from '../graph/graph';
import { constantsOf } from './constants';
import type { Known } from './tape';

/** An input of the training graph that is drawn anew for each step. */
export interface Mask {
  readonly name: string;
  readonly dims: readonly number[];
  /** Share of the values that are dropped. */
  readonly ratio: number;
}

/** The operator's own default. */
const usualRatio = 0.5;

export async function withMasks(
  model: Model,
  known: ReadonlyMap<string, Known>,
): Promise<{ model: Model; known: ReadonlyMap<string, Known>; masks: readonly Mask[] }> {
  const { graph } = model;
  const dropouts = graph.nodes.filter(({ op, domain }) => op === 'Dropout' && domain === '');
  if (dropouts.length === 0) return { model, known, masks: [] };
  const constants = await constantsOf(model);
  const taken = namesIn(graph);
  const types = new Map(known);
  const masks: Mask[] = [];
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of dropouts) {
    const value = known.get(node.inputs[0]!);
    if (value?.dtype !== 'float32') continue;
    const ratio = constants.get(node.inputs[1] ?? '')?.[0] ?? usualRatio;
    const mask: Mask = { name: freshName(taken, `${node.outputs[0]}/kept`), dims: value.dims, ratio };
    masks.push(mask);
    types.set(mask.name, value);
    replacements.set(node, [makeNode('Mul', [node.inputs[0]!, mask.name], [node.outputs[0]!], { name: node.name })]);
  }
  const inputs: Value[] = masks.map(({ name, dims }) => ({
    name,
    type: { kind: 'tensor', dtype: 'float32', shape: dims },
  }));
  const changed = { ...replaceNodes(graph, replacements), inputs: [...graph.inputs, ...inputs] };
  return { model: { ...model, graph: withoutUnused(changed) }, known: types, masks };
}

/** 1 ∕ (1 − ratio) where a value is kept, 0 where it is dropped: the mean stays. */
export function drawMask(into: Float32Array, ratio: number, random: () => number): void {
  const kept = ratio >= 1 ? 0 : 1 / (1 - ratio);
  for (let i = 0; i < into.length; i++) into[i] = random() < ratio ? 0 : kept;
}
