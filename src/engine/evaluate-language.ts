// The part of `evaluate` that reads language: windows of tokens in, the loss of each token out, beside the parent's answers where there is one.
import type { SplitName } from '../contract/words/dataset';
import type { Quality } from '../contract/words/quality';
import { refuse } from '../contract/words/refusal';
import { type Batch, type Dataset, fixedBatchOf } from './data/index';
import { AgreementScore } from './measure/agreement';
import { type Answers, answerOutput, toRows } from './measure/answers';
import type { SettledBatch } from './measure/batch';
import { PerplexityScore, scoredTokens } from './measure/perplexity';
import { Failure } from './runtime/failure';
import type { Session, SessionPort } from './runtime/session';

export interface Reader {
  readonly name: string;
  readonly session: Session;
  readonly settled: SettledBatch;
}

export interface Reading {
  readonly dataset: Dataset;
  readonly split: SplitName;
  /** Windows. */
  readonly samples: number;
  readonly notes: string[];
  /** After each batch; true ends the reading early. */
  seen(done: number): boolean;
}

/** The output of one row of scores for each token. */
function logitsOf(outputs: readonly SessionPort[]): SessionPort {
  return outputs.find(({ name }) => name === 'logits') ?? answerOutput(outputs);
}

/** One window at a time unless more are asked for: with dynamic ranges, answers depend on what else is in the batch. */
export function settleWindows(session: Session, asked = 1): SettledBatch {
  const fixed = fixedBatchOf(session.inputs);
  return fixed === null
    ? { batch: asked, fill: false, note: null }
    : { batch: fixed, fill: fixed > 1, note: fixed === asked ? null : `it takes ${fixed} windows at a time.` };
}

export async function readLanguage(
  model: Reader,
  parent: Reader | null,
  reading: Reading,
): Promise<{ quality: Quality; agreement: AgreementScore | null }> {
  const { samples, notes } = reading;
  const score = new PerplexityScore();
  const agreement = parent ? new AgreementScore() : null;
  // The same windows in the same batches.
  const beside = parent ? answersTo(parent, reading, model.settled) : null;
  let done = 0;
  let token = 0;
  try {
    for await (const { answers, batch } of answersTo(model, reading, model.settled)) {
      const tokens = batch.tokens!;
      score.add(answers, tokens);
      if (agreement && beside) {
        const step = await beside.next();
        if (step.done) throw new Error('the parent answered fewer windows than its child');
        for (const { row, id } of scoredTokens(tokens))
          agreement.add(step.value.answers, row, answers, row, token++, id);
      }
      done += batch.samples;
      if (reading.seen(done) && done < samples) {
        notes.push(`Stopped after ${done} of ${samples} windows.`);
        break;
      }
    }
  } finally {
    await beside?.return(undefined);
  }
  const quality = score.finish(notes);
  notes.push(
    `Perplexity over ${quality.n.toLocaleString('en')} scored tokens; the interval is a bootstrap over windows.`,
  );
  return { quality, agreement };
}

interface Step {
  readonly batch: Batch;
  readonly answers: Answers;
}

async function* answersTo(reader: Reader, reading: Reading, settled: SettledBatch): AsyncGenerator<Step> {
  const { session, name } = reader;
  const output = logitsOf(session.outputs);
  const { batch: many, fill } = settled;
  const request = { batch: many, limit: reading.samples, fill };
  for await (const batch of reading.dataset.batches(reading.split, session.inputs, request)) {
    const tokens = batch.tokens;
    if (!tokens) throw new Error('a language dataset gave a batch without tokens');
    const vocabulary = output.shape.at(-1);
    const most = typeof vocabulary === 'number' ? vocabulary : Number.POSITIVE_INFINITY;
    const beyond = tokens.ids.find((id) => id >= most);
    if (beyond !== undefined)
      refuse(
        'bad-dataset',
        `The token ${beyond} is beyond the ${most} that ${name} knows.`,
        'The ids must come from this model’s tokenizer.',
      );
    const given = (await session.run(batch.feeds, [output.name]))[output.name]!;
    const rows = tokens.ids.length;
    const answers = toRows(given, rows);
    if (given.dims.length !== 3 || given.dims[1] !== tokens.length || !answers)
      throw new Failure(`${name} gave back ${given.dims.join('×')} for ${rows} tokens.`, 'running the model');
    yield { batch, answers };
  }
}
