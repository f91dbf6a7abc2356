// A model's answers to one batch: which output holds them, and one row of numbers a sample.
import { refuse } from '../../contract/words/refusal';
import { decodeFloat16 } from '../graph/tensor';
import type { Feed, SessionPort } from '../runtime/session';

export interface Answers {
  readonly rows: number;
  /** Numbers a sample. */
  readonly width: number;
  readonly values: Float32Array | Float64Array;
  /** The output is a class index already (an ArgMax inside the model), not a score for each class. */
  readonly isIndex: boolean;
  /** Scores for classes, or something else: a picture, a sequence. */
  readonly isVector: boolean;
}

const scores = new Set(['float32', 'float16', 'float64']);
const indices = new Set(['int64', 'int32', 'uint8', 'int8', 'int16', 'uint16', 'uint32', 'uint64']);

/** The first output of scores, else the first of integers. */
export function answerOutput(outputs: readonly SessionPort[]): SessionPort {
  const found =
    outputs.find((output) => output.dtype !== null && scores.has(output.dtype)) ??
    outputs.find((output) => output.dtype !== null && indices.has(output.dtype));
  return found ?? refuse('unsupported', 'The model gives no numbers back, so its answers cannot be measured.');
}

/** Rows of an output. Null when it does not divide into `samples` rows: the batch was not taken as one. */
export function toAnswers(output: Feed, samples: number): Answers | null {
  const values = toNumbers(output);
  if (values.length === 0 || values.length % samples !== 0) return null;
  // An output that carries a batch axis of another length mixes the samples.
  const leading = output.dims[0];
  if (samples > 1 && leading !== samples) return null;
  const width = values.length / samples;
  const beyondBatch = output.dims.slice(samples > 1 || leading === 1 ? 1 : 0);
  return {
    rows: samples,
    width,
    values,
    isIndex: width === 1 && indices.has(output.dtype),
    isVector: beyondBatch.filter((dim) => dim !== 1).length <= 1,
  };
}

/** Rows of scores, one for each of `rows` tokens, in the order of the output; null where it does not divide. */
export function toRows(output: Feed, rows: number): Answers | null {
  const values = toNumbers(output);
  if (values.length === 0 || values.length % rows !== 0) return null;
  return { rows, width: values.length / rows, values, isIndex: false, isVector: true };
}

function toNumbers({ dtype, data }: Feed): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (dtype === 'float16' && data instanceof Uint16Array) return decodeFloat16(data);
  return Float64Array.from(data as ArrayLike<number | bigint | string>, Number);
}

/** One sample's numbers. */
export function row(answers: Answers, index: number): Float32Array | Float64Array {
  return answers.values.subarray(index * answers.width, (index + 1) * answers.width);
}

/** The class answered, the first of equals; −1 where an answer is not a number. */
export function classOf(answers: Answers, index: number): number {
  const values = row(answers, index);
  if (answers.isIndex) return values[0]!;
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) return -1;
    if (values[i]! > most || best < 0) {
      most = values[i]!;
      best = i;
    }
  }
  return best;
}
