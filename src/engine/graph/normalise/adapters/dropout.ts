// Dropout-10 made the mask boolean, Dropout-12 made the ratio an input. In inference both hand their input through.
import { readFloat, withAttributes, withInputs } from '../../edit';
import { type Adapter, addFloat, beside } from '../adapter';

export const dropoutMask: Adapter = (node, to) =>
  node.outputs[1] && to.isUsed(node.outputs[1])
    ? 'the mask of a Dropout is used, and its type changed'
    : [{ ...node, outputs: node.outputs.slice(0, 1) }];

export const dropoutRatio: Adapter = (node, to) => {
  const bare = withAttributes(node, { ratio: null });
  const ratio = addFloat(to, beside(node, 'ratio'), 'float32', readFloat(node, 'ratio', 0.5));
  return [withInputs(bare, [node.inputs[0]!, ratio!])];
};
