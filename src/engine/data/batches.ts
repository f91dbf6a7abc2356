// Reads a split for a model: one stream for each of its inputs, prepared, packed, a batch at a time.
import type { InputSpec } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import type { Feeds } from '../runtime/session';
import { type InputPlan, planInput } from './adapt';
import type { Batch, BatchRequest, InputPort } from './dataset';
import { packFeed } from './feeds';
import { type Prepared, prepare } from './prepare';
import type { Sample, Source } from './sources/source';
import type { Split } from './splits';
import { readTokenBatches, tokensOf } from './token-batches';

interface Settled {
  readonly source: Source;
  readonly plan: InputPlan;
}

/** Which source feeds which input, and how. */
export function settle(split: Split, inputs: Record<string, InputSpec>, ports: readonly InputPort[]): Settled[] {
  const only = split.inputs.size === 1 ? [...split.inputs.values()][0]! : null;
  return ports.map((port) => {
    const source = split.inputs.get(port.name) ?? (ports.length === 1 ? only : null);
    if (!source) {
      const names = ports.map((one) => `"${one.name}"`).join(', ');
      refuse(
        'bad-dataset',
        `The model has the inputs ${names}, and the dataset does not say what "${port.name}" gets.`,
        `Name a file for each: "inputs": { "${port.name}": "…" }.`,
        'splits',
      );
    }
    if (source.shape.kind === 'tokens')
      refuse('bad-dataset', 'Token ids cannot stand beside other inputs.', undefined, 'splits');
    return { source, plan: planInput(source.shape, inputs, port) };
  });
}

/** The batch a model insists on: a number in its input's first axis, 1 where there is no such axis, else null. */
export function fixedBatchOf(ports: readonly InputPort[]): number | null {
  for (const port of ports) {
    const first = port.shape[0];
    if (typeof first === 'number' && first > 0) return first;
  }
  return null;
}

export async function* readBatches(
  split: Split,
  inputs: Record<string, InputSpec>,
  ports: readonly InputPort[],
  request: BatchRequest,
): AsyncGenerator<Batch> {
  const text = tokensOf(split);
  if (text) {
    yield* readTokenBatches(split, text, ports, request);
    return;
  }
  const settled = settle(split, inputs, ports);
  const from = split.from + (request.from ?? 0);
  const to = Math.min(split.to, from + (request.limit ?? Number.POSITIVE_INFINITY));
  const batch = settled.some(({ plan }) => plan.batchless) ? 1 : request.batch;
  const readers = settled.map(({ source, plan }) => source.read(from, plan.spec.colour === 'gray' ? 'gray' : 'rgb'));
  try {
    for (let at = from; at < to; at += batch) {
      const samples = Math.min(batch, to - at);
      const feeds: Feeds = {};
      for (let i = 0; i < settled.length; i++) {
        const { plan } = settled[i]!;
        const prepared: Prepared[] = [];
        for (let s = 0; s < samples; s++) prepared.push(prepare(await nextSample(readers[i]!), plan));
        feeds[plan.port.name] = packFeed(prepared, request.fill ? batch : samples, plan);
      }
      yield { feeds, ...answers(split, at, samples), index: at - split.from, samples };
    }
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}

async function nextSample(reader: AsyncGenerator<Sample>): Promise<Exclude<Sample, { kind: 'tokens' }>> {
  const step = await reader.next();
  if (step.done || step.value.kind === 'tokens') throw new Error('a source ended before the samples it announced');
  return step.value;
}

function answers({ labels }: Split, at: number, samples: number): Pick<Batch, 'labels' | 'targets'> {
  const numbers = labels?.numbers ?? null;
  return {
    labels: labels?.classes?.subarray(at, at + samples) ?? null,
    targets: numbers && {
      data: numbers.data.subarray(at * numbers.width, (at + samples) * numbers.width),
      width: numbers.width,
    },
  };
}
