// Attributes that became inputs: Clip, Pad, Slice, TopK, Squeeze, Unsqueeze, Reduce*, Split.
import { intAttribute, readFloat, readInt, readIntList, readString, withAttributes, withInputs } from '../../edit';
import type { Node } from '../../graph';
import { type Adaptation, type Adapter, addFloat, addInts, beside } from '../adapter';

/** `axes` moves to an input; an empty list means the same as none. */
const axesAsInput =
  (input: number): Adapter =>
  (node, to) => {
    const axes = readIntList(node, 'axes');
    const bare = withAttributes(node, { axes: null });
    return [axes?.length ? withInputs(bare, withInput(bare, input, addInts(to, beside(node, 'axes'), axes))) : bare];
  };

function withInput(node: Node, at: number, name: string): string[] {
  const inputs = Array.from({ length: Math.max(node.inputs.length, at + 1) }, (_, i) => node.inputs[i] ?? '');
  inputs[at] = name;
  return inputs;
}

export const axes: Adapter = axesAsInput(1);

/** min and max have the type of the data. The old defaults are the largest floats: no limit. */
export const clip: Adapter = (node, to) => {
  const { dtype } = to.known(node.inputs[0] ?? '');
  const limits: string[] = [];
  for (const name of ['min', 'max']) {
    if (!node.attributes.has(name)) {
      limits.push('');
      continue;
    }
    const limit = addFloat(to, beside(node, name), dtype, readFloat(node, name, 0));
    if (limit === null) return 'the element type of a Clip is not known';
    limits.push(limit);
  }
  return [withInputs(withAttributes(node, { min: null, max: null }), [node.inputs[0]!, ...limits])];
};

/** The fill has the type of the data; zero is the default and need not be said. */
export const pad: Adapter = (node, to) => {
  const pads = readIntList(node, 'pads') ?? readIntList(node, 'paddings');
  if (!pads) return 'a Pad has no pads';
  const fill = readFloat(node, 'value', 0);
  const usesFill = readString(node, 'mode', 'constant') === 'constant' && fill !== 0;
  const value = usesFill ? addFloat(to, beside(node, 'value'), to.known(node.inputs[0] ?? '').dtype, fill) : '';
  if (value === null) return 'the element type of a Pad is not known';
  const bare = withAttributes(node, { pads: null, paddings: null, value: null });
  return [withInputs(bare, [node.inputs[0]!, addInts(to, beside(node, 'pads'), pads), value])];
};

export const slice: Adapter = (node, to) => {
  const starts = readIntList(node, 'starts');
  const ends = readIntList(node, 'ends');
  if (!starts || !ends) return 'a Slice has no starts or ends';
  const along = readIntList(node, 'axes');
  const bare = withAttributes(node, { starts: null, ends: null, axes: null });
  return [
    withInputs(bare, [
      node.inputs[0]!,
      addInts(to, beside(node, 'starts'), starts),
      addInts(to, beside(node, 'ends'), ends),
      along ? addInts(to, beside(node, 'axes'), along) : '',
    ]),
  ];
};

export const topK: Adapter = (node, to) => [
  withInputs(withAttributes(node, { k: null }), [
    node.inputs[0]!,
    addInts(to, beside(node, 'k'), [readInt(node, 'k', 1)]),
  ]),
];

export const splitSizes: Adapter = (node, to) => {
  const sizes = readIntList(node, 'split');
  const bare = withAttributes(node, { split: null });
  return [sizes?.length ? withInputs(bare, [node.inputs[0]!, addInts(to, beside(node, 'split'), sizes)]) : bare];
};

/** Opset 18 wants the number of parts where no sizes are given. */
export const splitCount: Adapter = (node: Node, _to: Adaptation) => [
  node.inputs[1] ? node : withAttributes(node, { num_outputs: intAttribute(node.outputs.length) }),
];

/** The transformed axis moves to the third input. */
export const dft: Adapter = (node, to) => {
  const axis = readInt(node, 'axis', 1);
  const bare = withAttributes(node, { axis: null });
  return [withInputs(bare, [node.inputs[0]!, node.inputs[1] ?? '', addInts(to, beside(node, 'axis'), [axis], [])])];
};
