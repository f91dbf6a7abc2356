// Numbers of channels that become numbers of the computation: a mean divided by how many there are. Such channels all stay.
import { readInt } from '../edit';
import type { Node } from '../graph';
import { smallValues } from '../shapes/constants';
import { consumers } from '../walk';
import type { Trace } from './trace';

/** Whole numbers in, whole numbers out: sizes stay sizes. */
const arithmetic = new Set(
  'Gather Slice Concat Unsqueeze Squeeze Identity Add Sub Mul Div Mod Max Min Reshape ReduceProd Where Equal ConstantOfShape Cast'.split(
    ' ',
  ),
);
/** Inputs that say which shape a result has: they are rewritten with it. */
export const shapeInputs: Readonly<Record<string, number>> = { Reshape: 1, Expand: 1, ConstantOfShape: 0, Resize: 3 };

/** Every Shape whose answer is used for more than shapes fixes the axes it is asked about. */
export function fixMeasured({ model: { graph }, shapes, channels, axes, stored }: Trace): void {
  const users = consumers(graph);
  for (const node of graph.nodes) {
    const measured = axes.get(node.inputs[0] ?? '');
    if (!measured || node.domain !== '') continue;
    if (node.op === 'Size') for (const axis of measured) channels.fix(axis, `Size ${node.name} counts them`);
    if (node.op !== 'Shape') continue;
    for (const user of users.get(node.outputs[0]!) ?? []) {
      const asked = askedAxes(user, node, measured.length).filter((axis) => typeof measured[axis] !== 'string');
      if (asked.length === 0) continue;
      const end = beyondShapes(node.outputs[0]!, user);
      if (end)
        for (const axis of asked) channels.fix(measured[axis], `${end.op} ${end.name} computes with their number`);
    }
  }

  /** Axes whose sizes a user of the Shape picks; all where that is not plain. */
  function askedAxes(user: Node, { attributes, inputs }: Node, rank: number): number[] {
    const all = Array.from({ length: rank }, (_, i) => i);
    if (attributes.has('start') || attributes.has('end') || inputs.length !== 1) return all;
    const picked = (input: number) => {
      const tensor = stored.get(user.inputs[input] ?? '');
      return tensor && smallValues(tensor);
    };
    if (user.op === 'Gather' && readInt(user, 'axis', 0) === 0) return picked(1)?.map((i) => (i + rank) % rank) ?? all;
    const [from, to] = [picked(1), picked(2)];
    if (user.op === 'Slice' && from?.length === 1 && to?.length === 1) return all.slice(from[0], to[0]);
    return all;
  }

  /** The first node behind `user` that does more than reckon with sizes; null where there is none. */
  function beyondShapes(name: string, user: Node, seen = new Set<Node>()): Node | null {
    if (seen.has(user)) return null;
    seen.add(user);
    const { op, inputs, outputs } = user;
    if (shapeInputs[op] !== undefined && inputs[0] !== name) return null;
    if (op === 'ConstantOfShape' || op === 'Shape' || (op === 'Slice' && inputs[0] !== name) || op === 'Range')
      return null;
    const made = shapes.get(outputs[0] ?? '')?.dtype;
    if (!arithmetic.has(op) || (made !== 'int64' && made !== 'int32' && made !== 'bool')) return user;
    for (const next of users.get(outputs[0]!) ?? []) {
      const end = beyondShapes(outputs[0]!, next, seen);
      if (end) return end;
    }
    return null;
  }
}
