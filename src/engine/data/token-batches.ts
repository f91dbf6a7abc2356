// Feeds windows of tokens to a language model: its ids, and what its other inputs want to know about them.
import { refuse } from '../../contract/words/refusal';
import type { Feed, Feeds } from '../runtime/session';
import type { Batch, BatchRequest, InputPort, TokenBatch } from './dataset';
import type { Source } from './sources/source';
import type { Split } from './splits';

/** The token source of a split; null where it holds other samples. */
export function tokensOf(split: Split): Source | null {
  const [only] = split.inputs.values();
  return split.inputs.size === 1 && only?.shape.kind === 'tokens' ? only : null;
}

/** Windows that follow each other and are equally long share a batch: nothing is padded. */
export async function* readTokenBatches(
  split: Split,
  source: Source,
  ports: readonly InputPort[],
  request: BatchRequest,
): AsyncGenerator<Batch> {
  const ids = idsPort(ports);
  const from = split.from + (request.from ?? 0);
  const to = Math.min(split.to, from + (request.limit ?? Number.POSITIVE_INFINITY));
  let held: { ids: Int32Array; scoredFrom: number }[] = [];
  let at = from;
  const batch = (): Batch => {
    const many = request.fill ? request.batch : held.length;
    const length = held[0]!.ids.length;
    const all = new Int32Array(many * length);
    for (let i = 0; i < many; i++) all.set(held[Math.min(i, held.length - 1)]!.ids, i * length);
    const tokens: TokenBatch = { ids: all, length, scoredFrom: held.map(({ scoredFrom }) => scoredFrom) };
    const made = { labels: null, targets: null, index: at - split.from, samples: held.length, tokens };
    at += held.length;
    held = [];
    return { ...made, feeds: feedsOf(ports, ids, all, many, length) };
  };
  const reader = source.read(from, null);
  try {
    for (let i = from; i < to; i++) {
      const step = await reader.next();
      if (step.done || step.value.kind !== 'tokens') throw new Error('a token source ended before its windows');
      const { value } = step;
      if (held.length > 0 && held[0]!.ids.length !== value.ids.length) yield batch();
      held.push(value);
      if (held.length === request.batch) yield batch();
    }
    if (held.length > 0) yield batch();
  } finally {
    await reader.return(undefined);
  }
}

const integers = new Set(['int64', 'int32']);

/** `input_ids`, else the only input of whole numbers in two dimensions. */
export function idsPort(ports: readonly InputPort[]): InputPort {
  const named = ports.find(({ name }) => name === 'input_ids');
  const fit = ports.filter(({ dtype, shape }) => dtype !== null && integers.has(dtype) && shape.length === 2);
  const found = named ?? (fit.length === 1 ? fit[0] : undefined);
  if (found) return found;
  const names = ports.map(({ name }) => `"${name}"`).join(', ');
  return refuse(
    'bad-dataset',
    `None of the inputs ${names} takes token ids.`,
    'Choose a dataset of numbers or pictures.',
  );
}

/** Feeds for `many` windows of `length` tokens: their ids [many · length], and what the other inputs want to know. */
export function tokenFeeds(ports: readonly InputPort[], ids: Int32Array, many: number, length: number): Feeds {
  return feedsOf(ports, idsPort(ports), ids, many, length);
}

function feedsOf(ports: readonly InputPort[], ids: InputPort, all: Int32Array, many: number, length: number): Feeds {
  const feeds: Feeds = {};
  for (const port of ports) {
    if (port === ids) {
      const fixed = port.shape[1];
      if (typeof fixed === 'number' && fixed > 0 && fixed !== length) {
        const mend = 'Let contextLength and the texts give windows of that length.';
        refuse(
          'bad-dataset',
          `"${port.name}" takes ${fixed} tokens and a window has ${length}.`,
          mend,
          'text.contextLength',
        );
      }
    }
    feeds[port.name] = port === ids ? whole(port, [many, length], (i) => all[i]!) : beside(port, many, length);
  }
  return feeds;
}

function beside(port: InputPort, many: number, length: number): Feed {
  const { name, dtype, shape } = port;
  if (name === 'attention_mask') return whole(port, [many, length], () => 1);
  if (name === 'token_type_ids') return whole(port, [many, length], () => 0);
  if (name === 'position_ids') return whole(port, [many, length], (i) => i % length);
  // Nothing was said before: a cache of length 0.
  const [, heads, , size] = shape;
  if (/^past/.test(name) && shape.length === 4 && typeof heads === 'number' && typeof size === 'number') {
    const dims = [many, heads, 0, size];
    if (dtype === 'int8') return { dtype, dims, data: new Int8Array(0) };
    if (dtype === 'uint8') return { dtype, dims, data: new Uint8Array(0) };
    if (dtype === 'float16') return { dtype, dims, data: new Uint16Array(0) };
    return { dtype: 'float32', dims, data: new Float32Array(0) };
  }
  return refuse('unsupported', `The input "${name}" is not one that token ids alone can fill.`);
}

function whole({ name, dtype }: InputPort, dims: readonly number[], value: (i: number) => number): Feed {
  const length = dims.reduce((a, b) => a * b, 1);
  if (dtype === 'int32') return { dtype, dims, data: Int32Array.from({ length }, (_, i) => value(i)) };
  if (dtype === 'int64') return { dtype, dims, data: BigInt64Array.from({ length }, (_, i) => BigInt(value(i))) };
  return refuse('unsupported', `The input "${name}" takes ${dtype ?? 'no tensor'}, not whole numbers.`);
}
