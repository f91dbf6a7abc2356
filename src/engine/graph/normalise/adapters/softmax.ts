// Softmax, LogSoftmax and Hardmax up to opset 12 flatten to two dimensions at `axis`; from 13 they work along one axis.
import { intAttribute, makeNode, readInt, withAttributes } from '../../edit';
import { type Adapter, beside } from '../adapter';

export const softmax: Adapter = (node, to) => {
  const axis = readInt(node, 'axis', 1);
  const input = node.inputs[0]!;
  const { shape } = to.known(input);
  const rank = shape?.length;
  const at = rank !== undefined && axis < 0 ? axis + rank : axis;
  // The same where all that follows the axis has length 1.
  const isAlone = axis === -1 || (shape !== null && at >= 0 && shape.slice(at + 1).every((dim) => dim === 1));
  if (isAlone) return [withAttributes(node, { axis: intAttribute(axis) })];
  const shapeName = to.fresh(beside(node, 'shape'));
  const flat = to.fresh(beside(node, 'flat'));
  const result = to.fresh(beside(node, 'rows'));
  return [
    makeNode('Shape', [input], [shapeName], { name: to.fresh(beside(node, 'Shape')) }),
    makeNode('Flatten', [input], [flat], {
      name: to.fresh(beside(node, 'Flatten')),
      attributes: { axis: intAttribute(axis) },
    }),
    { ...withAttributes(node, { axis: intAttribute(-1) }), inputs: [flat], outputs: [result] },
    makeNode('Reshape', [result, shapeName], node.outputs, { name: to.fresh(beside(node, 'Reshape')) }),
  ];
};
