// How many samples a model really takes at once: what its input declares is tried, not believed.
import type { Batch } from '../data/index';
import { fixedBatchOf } from '../data/index';
import { Failure } from '../runtime/failure';
import type { Session } from '../runtime/session';
import { type Answers, answerOutput, row, toAnswers } from './answers';

export interface SettledBatch {
  readonly batch: number;
  /** Feeds must always hold `batch` samples. */
  readonly fill: boolean;
  /** To stand after the model's name and a colon. */
  readonly note: string | null;
}

/** Answers alone and in company may differ by rounding, not by more: relative to the largest of the row. */
const tolerance = 1e-4;

/** `read(from, count)` gives the samples at a position of the split. */
export async function settleBatch(
  session: Session,
  wanted: number,
  isAsked: boolean,
  read: (from: number, count: number) => Promise<Batch | null>,
): Promise<SettledBatch> {
  const fixed = fixedBatchOf(session.inputs);
  if (fixed !== null) {
    const differs = isAsked && fixed !== wanted;
    return {
      batch: fixed,
      fill: fixed > 1,
      note: differs ? `it takes ${fixed} at a time, whatever is asked.` : null,
    };
  }
  const alone: SettledBatch = { batch: 1, fill: false, note: null };
  const many = wanted > 1 ? await read(0, wanted) : null;
  if (!many || many.samples < 2) return alone;

  const together = await answersTo(session, many);
  if (!together) {
    return { ...alone, note: 'it declares a free batch and runs only one at a time; it was evaluated so.' };
  }
  for (const index of [0, many.samples >> 1, many.samples - 1]) {
    const one = await read(index, 1);
    const single = one && (await answersTo(session, one));
    // A model that takes two and refuses one is run as it likes.
    if (!single || isSame(row(single, 0), row(together, index))) continue;
    const note = 'its answers depend on what else is in the batch';
    return isAsked
      ? { batch: wanted, fill: false, note: `${note}; at batch 1 they would differ.` }
      : { ...alone, note: `${note}; it was evaluated one at a time.` };
  }
  return { batch: many.samples, fill: false, note: null };
}

/** Null where the model cannot take the batch. */
async function answersTo(session: Session, batch: Batch): Promise<Answers | null> {
  const output = answerOutput(session.outputs);
  try {
    const given = await session.run(batch.feeds, [output.name]);
    return toAnswers(given[output.name]!, batch.samples);
  } catch (error) {
    if (error instanceof Failure && batch.samples > 1) return null;
    throw error;
  }
}

function isSame(a: Float32Array | Float64Array, b: Float32Array | Float64Array): boolean {
  if (a.length !== b.length) return false;
  let largest = 1e-6;
  for (const value of a) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < a.length; i++) {
    if (!Object.is(a[i], b[i]) && !(Math.abs(a[i]! - b[i]!) <= tolerance * largest)) return false;
  }
  return true;
}
