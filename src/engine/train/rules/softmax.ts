// Gradients of the softmax family and of the losses over it.
import { refuse } from '../../../contract/words/refusal';
import { readInt, readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { add, axesFrom, cast, compare, div, expand, mul, neg, reshape, scaled, sub, sum, unary, where } from '../emit';
import type { Rule, Tape } from '../tape';

const axisOf = (tape: Tape, node: Node): number =>
  axesFrom([readInt(node, 'axis', -1)], tape.known(node.inputs[0]!).dims.length)[0]!;

/** y = softmax x: ∂x = p − y·Σp with p = g·y. */
export const softmax: Rule = (tape, node, [g]) => {
  const y = node.outputs[0]!;
  const p = mul(tape, g!, y);
  return [sub(tape, p, mul(tape, y, sum(tape, p, [axisOf(tape, node)])))];
};

/** y = ln softmax x: ∂x = g − eʸ·Σg. */
export const logSoftmax: Rule = (tape, node, [g]) => [logSoftmaxBack(tape, node.outputs[0]!, g!, axisOf(tape, node))];

function logSoftmaxBack(tape: Tape, y: string, g: string, axis: number): string {
  return sub(tape, g, mul(tape, unary(tape, 'Exp', y), sum(tape, g, [axis])));
}

/** Where a loss looks: the label of each position as an index that is always valid, and what it weighs. */
interface Looks {
  /** int64 [N, 1, d…] */
  readonly labels: string;
  /** Weight of each position's label, 0 where it is ignored, times the gradient that reaches it: [N, 1, d…]. */
  readonly pull: string;
}

/** Labels and weights of SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss over scores [N, C, d…], labels [N, d…]. */
function looksOf(tape: Tape, node: Node, g: string): Looks {
  const [scores, target, weights] = node.inputs as [string, string, string | undefined];
  const { dtype, dims } = tape.known(scores);
  const column = [dims[0]!, 1, ...dims.slice(2)];
  let labels = reshape(tape, cast(tape, target, 'int64'), column);
  let weight: string | null = null;
  const ignore = node.attributes.get('ignore_index');
  if (ignore?.type === 'int') {
    const isIgnored = compare(tape, 'Equal', labels, tape.scalar(Number(ignore.value), 'int64'));
    labels = where(tape, isIgnored, tape.scalar(0, 'int64'), labels);
    weight = where(tape, isIgnored, tape.scalar(0, dtype), expand(tape, tape.scalar(1, dtype), column));
  }
  if (tape.wants(weights))
    refuse(
      'unsupported',
      `The layer "${node.name}" (${node.op}) has class weights that are trained; they have no gradient rule.`,
    );
  if (weights) {
    const own = tape.emit('Gather', [weights, labels], { dtype, dims: column }, { axis: 0 });
    weight = weight ? mul(tape, weight, own) : own;
  }
  const reduction = readString(node, 'reduction', 'mean');
  // "none" has a gradient for each position; the others one for all.
  const reaching = reshape(tape, g, reduction === 'none' ? column : column.map(() => 1));
  if (reduction !== 'mean')
    return { labels, pull: weight ? mul(tape, weight, reaching) : expand(tape, reaching, column) };
  if (!weight) return { labels, pull: expand(tape, scaled(tape, reaching, 1 / elementCount(column)), column) };
  const whole = sum(
    tape,
    weight,
    column.map((_, i) => i),
  );
  return { labels, pull: mul(tape, weight, div(tape, reaching, whole)) };
}

/** loss = −Σ w·ln softmax(x)[label], or its mean: ∂x = w·(softmax − onehot). The second output, ln softmax, may be used as well. */
export const softmaxCrossEntropyLoss: Rule = (tape, node, [g, gLog]) => {
  const scores = tape.known(node.inputs[0]!);
  const log = tape.output(node, 1, scores);
  const others = node.inputs.slice(1).map(() => null);
  const through = gLog ? logSoftmaxBack(tape, log, gLog, 1) : null;
  if (!g) return [through, ...others];
  const { labels, pull } = looksOf(tape, node, g);
  const spread = mul(tape, unary(tape, 'Exp', log), pull);
  // The one-hot term touches one element of each column only.
  const inputs = [spread, labels, neg(tape, pull)];
  const made = tape.emit('ScatterElements', inputs, scores, { axis: 1, reduction: 'add' });
  return [through ? add(tape, made, through) : made, ...others];
};

/** loss = −Σ w·x[label], or its mean: ∂x = −w at the labels. */
export const negativeLogLikelihoodLoss: Rule = (tape, node, [g]) => {
  const x = tape.known(node.inputs[0]!);
  const { labels, pull } = looksOf(tape, node, g!);
  const zeros = expand(tape, tape.scalar(0, x.dtype), x.dims);
  const made = tape.emit('ScatterElements', [zeros, labels, neg(tape, pull)], x, { axis: 1 });
  return [made, ...node.inputs.slice(1).map(() => null)];
};
