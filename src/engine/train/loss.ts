// What a training makes small, attached to the model as further nodes: cross-entropy from logits, squared error, next-token loss.
import { refuse } from '../../contract/words/refusal';
import { makeNode, readInt } from '../graph/edit';
import { elementCount, type Graph, type Model, type Node, type Value } from '../graph/graph';
import { producers } from '../graph/walk';
import { constantsOf } from './constants';
import { axesFrom, cast, div, mean, mul, plus, reshape, scaled, sub, sum, unary } from './emit';
import { declared, type Known, openTape, type Tape } from './tape';

export interface LossAsk {
  /** `classification`: one class for each answer. `regression`: numbers. `language`: the next token of each position. */
  readonly task: 'classification' | 'regression' | 'language';
  /** The output that is judged. */
  readonly output: string;
  /** Type and static shape of every value. */
  readonly known: ReadonlyMap<string, Known>;
  /** Share of each label that is spread over all classes (Szegedy et al., arXiv:1512.00567); default 0. */
  readonly smoothing?: number;
}

export interface AttachedLoss {
  /** The model with the loss; labels and weights are further inputs. */
  readonly model: Model;
  readonly known: ReadonlyMap<string, Known>;
  /** Name of the scalar. */
  readonly loss: string;
  /** What is judged: the output, or what its final Softmax, LogSoftmax or Sigmoid was made of. */
  readonly logits: string;
  /**
   * Classification: int64, a class for each answer. Regression: float32 in the output's shape. Language: int64 [batch, tokens], the
   * very ids the model reads.
   */
  readonly labels: Value;
  /** Language: float32 [batch, tokens], how much being right about a token counts; the first of a row never counts. Else null. */
  readonly weights: Value | null;
}

/** The model with a scalar loss over one of its outputs. */
export async function attachLoss(model: Model, ask: LossAsk): Promise<AttachedLoss> {
  const { graph } = model;
  const opset = model.opsets.get('') ?? 1;
  const tape = openTape({ graph, known: ask.known, constants: await constantsOf(model), wanted: new Set(), opset });
  tape.under('loss');
  const feed = (wanted: string, value: Known): Value => {
    const name = tape.name(wanted);
    tape.learn(name, value);
    return declared(name, value);
  };
  const made = write();
  const loss = tape.name('loss');
  tape.learn(loss, tape.known(made.loss));
  const nodes = [...graph.nodes, ...tape.nodes, makeNode('Identity', [made.loss], [loss], { name: loss })];
  const initializers = new Map([...graph.initializers, ...tape.constantsMade]);
  const inputs = [...graph.inputs, made.labels, ...(made.weights ? [made.weights] : [])];
  const outputs = [declared(loss, tape.known(loss)), ...graph.outputs];
  return {
    model: { ...model, graph: { ...graph, nodes, initializers, inputs, outputs } },
    known: tape.everything,
    loss,
    logits: made.logits,
    labels: made.labels,
    weights: made.weights,
  };

  function write(): Written {
    switch (ask.task) {
      case 'classification':
        return classification(tape, graph, ask, feed);
      case 'regression':
        return regression(tape, ask.output, feed);
      case 'language':
        return language(tape, graph, ask.output, feed);
      default:
        return ask.task satisfies never;
    }
  }
}

interface Written {
  readonly loss: string;
  readonly logits: string;
  readonly labels: Value;
  readonly weights: Value | null;
}

type MakeFeed = (wanted: string, value: Known) => Value;

/** Where the scores of a model are, and what they become. */
export interface Scores {
  /** The output, or what its final Softmax, LogSoftmax or Sigmoid was made of. */
  readonly logits: string;
  /** `even`: each score is a probability of its own, as behind a Sigmoid. */
  readonly kind: 'classes' | 'even';
  /** Axis of the classes in the logits, non-negative. */
  readonly axis: number;
}

/** Scores of a classifier (classes on axis 1, or where its Softmax says) or of a language model (on the last axis). */
export function scoresOf(graph: Graph, output: string, rankOf: (value: string) => number, isLanguage: boolean): Scores {
  const end = finalActivation(graph, output);
  const logits = end?.inputs[0] ?? output;
  const rank = rankOf(logits);
  if (end?.op === 'Sigmoid') return { logits, kind: 'even', axis: rank - 1 };
  if (isLanguage) return { logits, kind: 'classes', axis: rank - 1 };
  if (end && rank > 2) return { logits, kind: 'classes', axis: axesFrom([readInt(end, 'axis', -1)], rank)[0]! };
  return { logits, kind: 'classes', axis: Math.min(1, rank - 1) };
}

/** −ln softmax(x)[label], mean over the answers; with a final Sigmoid the binary form of it. */
function classification(tape: Tape, graph: Graph, { output, smoothing = 0 }: LossAsk, feed: MakeFeed): Written {
  const end = finalActivation(graph, output);
  if (end?.op === 'Sigmoid') return binary(tape, end.inputs[0]!, smoothing, feed);
  const logits = end?.inputs[0] ?? output;
  const { dims } = tape.known(logits);
  if (dims.length < 2) refuse('unsupported', `The output "${output}" has no class axis; classification needs one.`);
  if (end && axesFrom([readInt(end, 'axis', -1)], dims.length)[0] !== 1 && dims.slice(1).some((dim) => dim !== 1)) {
    const axis = axesFrom([readInt(end, 'axis', -1)], dims.length)[0]!;
    if (axis !== dims.length - 1)
      refuse(
        'unsupported',
        `The layer "${end.name}" has its classes on axis ${axis}; axis 1 or the last one is trained.`,
      );
    return crossEntropy(
      tape,
      logits,
      [elementCount(dims.slice(0, -1)), dims.at(-1)!],
      dims.slice(0, -1),
      smoothing,
      feed,
    );
  }
  // [N, C, 1, 1] is [N, C].
  const isFlat = dims.slice(2).every((dim) => dim === 1);
  const shape = isFlat ? dims.slice(0, 2) : dims;
  return crossEntropy(tape, logits, shape, [shape[0]!, ...shape.slice(2)], smoothing, feed);
}

/** Over scores viewed as [N, C, d…]; labels are fed in a shape of their own. */
function crossEntropy(
  tape: Tape,
  logits: string,
  shape: readonly number[],
  labelDims: readonly number[],
  smoothing: number,
  feed: MakeFeed,
): Written {
  const scores = reshape(tape, cast(tape, logits, 'float32'), shape);
  const labels = feed('labels', { dtype: 'int64', dims: labelDims });
  const flat = reshape(tape, labels.name, [shape[0]!, ...shape.slice(2)]);
  const scalar: Known = { dtype: 'float32', dims: [] };
  const [hard, log] = tape.emitMany('SoftmaxCrossEntropyLoss', [scores, flat], [scalar, tape.known(scores)]) as [
    string,
    string,
  ];
  if (smoothing === 0) return { loss: hard, logits, labels, weights: null };
  // (1 − ε)·CE + ε·(the mean of −ln p over all classes)
  const even = mean(
    tape,
    log,
    shape.map((_, i) => i),
    false,
  );
  const loss = sub(tape, scaled(tape, hard, 1 - smoothing), scaled(tape, even, smoothing));
  return { loss, logits, labels, weights: null };
}

/** Of logits x and targets t in 0 … 1: mean of ln(1 + eˣ) − t·x. One logit for each answer, or one for each class. */
function binary(tape: Tape, logits: string, smoothing: number, feed: MakeFeed): Written {
  const x = cast(tape, logits, 'float32');
  const { dims } = tape.known(x);
  const answers = dims[0] ?? 1;
  const classes = elementCount(dims) / answers;
  const labels = feed('labels', { dtype: 'int64', dims: [answers] });
  const values = tape.floats([2], [smoothing / 2, 1 - smoothing / 2]);
  const targets =
    classes === 1
      ? plus(tape, scaled(tape, cast(tape, labels.name, 'float32'), 1 - smoothing), smoothing / 2)
      : tape.emit('OneHot', [labels.name, tape.ints([classes]), values], {
          dtype: 'float32',
          dims: [answers, classes],
        });
  const each = sub(tape, unary(tape, 'Softplus', x), mul(tape, reshape(tape, targets, dims), x));
  return { loss: meanOfAll(tape, each), logits, labels, weights: null };
}

/** Mean of (y − t)². */
function regression(tape: Tape, output: string, feed: MakeFeed): Written {
  const y = cast(tape, output, 'float32');
  const labels = feed('labels', tape.known(y));
  const off = sub(tape, y, labels.name);
  return { loss: meanOfAll(tape, mul(tape, off, off)), logits: output, labels, weights: null };
}

// A batch in which nothing counts has a loss of 0, not 0/0.
const leastWeight = 1e-9;

/** Logits at position s judge token s + 1: Σ w[s + 1]·−ln softmax(x[s])[ids[s + 1]] / Σ w. Labels are moved, never the logits. */
function language(tape: Tape, graph: Graph, output: string, feed: MakeFeed): Written {
  const logits = finalActivation(graph, output)?.inputs[0] ?? output;
  const { dims } = tape.known(logits);
  if (dims.length !== 3)
    refuse(
      'unsupported',
      `The output "${output}" is not of shape [batch, tokens, vocabulary]; it cannot be trained as a language model.`,
    );
  const [batch, tokens, vocabulary] = dims as [number, number, number];
  const labels = feed('labels', { dtype: 'int64', dims: [batch, tokens] });
  const weights = feed('weights', { dtype: 'float32', dims: [batch, tokens] });
  const scores = reshape(tape, cast(tape, logits, 'float32'), [batch * tokens, vocabulary]);
  const each = tape.emit(
    'SoftmaxCrossEntropyLoss',
    [scores, ofNextToken(tape, labels.name)],
    { dtype: 'float32', dims: [batch * tokens] },
    { reduction: 'none' },
  );
  return { loss: weightedMean(tape, each, ofNextToken(tape, weights.name)), logits, labels, weights };
}

/** What belongs to the token after each position, of values [batch, tokens]; flat. The last position has none and gets 0. */
export function ofNextToken(tape: Tape, value: string): string {
  const known = tape.known(value);
  const pads = [tape.ints([0, -1, 0, 1]), tape.scalar(0, known.dtype)];
  return reshape(tape, tape.emit('Pad', [value, ...pads], known), [elementCount(known.dims)]);
}

/** Σ w·x / Σ w of two vectors. */
export function weightedMean(tape: Tape, x: string, weights: string): string {
  const least = tape.scalar(leastWeight, 'float32');
  const whole = tape.emit('Max', [sum(tape, weights, [0], false), least], { dtype: 'float32', dims: [] });
  return div(tape, sum(tape, mul(tape, x, weights), [0], false), whole);
}

export const meanOfAll = (tape: Tape, x: string): string =>
  mean(
    tape,
    x,
    tape.known(x).dims.map((_, i) => i),
    false,
  );

/** The Softmax, LogSoftmax or Sigmoid that an output ends in, seen through what only reshapes. */
function finalActivation(graph: Graph, output: string): Node | null {
  const made = producers(graph);
  let node = made.get(output);
  while (node && node.domain === '' && /^(Identity|Reshape|Flatten|Squeeze|Unsqueeze)$/.test(node.op))
    node = made.get(node.inputs[0]!);
  return node && node.domain === '' && /^(Softmax|LogSoftmax|Sigmoid)$/.test(node.op) ? node : null;
}
