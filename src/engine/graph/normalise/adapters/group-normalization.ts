// GroupNormalization-18 has one scale and bias per group, 21 one per channel: each group's number is repeated.
import { makeNode, readInt } from '../../edit';
import { type Adapter, addInts, beside } from '../adapter';

export const groupNormalization: Adapter = (node, to) => {
  const groups = readInt(node, 'num_groups', 1);
  const channels = to.known(node.inputs[0] ?? '').shape?.[1];
  if (typeof channels !== 'number') return 'the number of channels of a GroupNormalization is not known';
  // [groups] → [groups, 1] → [groups, channels / groups] → [channels]
  const column = addInts(to, beside(node, 'column'), [groups, 1]);
  const wide = addInts(to, beside(node, 'wide'), [groups, channels / groups]);
  const flat = addInts(to, beside(node, 'flat'), [channels]);
  const repeated = ['scale', 'bias'].map((what, i) => {
    const value = (step: string): string => to.fresh(beside(node, `${what}_${step}`));
    const [a, b, c] = [value('column'), value('wide'), value('channels')];
    return {
      name: c,
      nodes: [
        makeNode('Reshape', [node.inputs[i + 1]!, column], [a], { name: value('Reshape') }),
        makeNode('Expand', [a, wide], [b], { name: value('Expand') }),
        makeNode('Reshape', [b, flat], [c], { name: value('Flatten') }),
      ],
    };
  });
  return [
    ...repeated.flatMap(({ nodes }) => nodes),
    { ...node, inputs: [node.inputs[0]!, ...repeated.map(({ name }) => name)] },
  ];
};
