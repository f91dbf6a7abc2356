// How two answers of the runtime compare: the same bytes, the same numbers to rounding, or not the same.
import type { Answer, Output } from './runtime-pool';

export type Verdict = 'same' | 'rounding' | 'different';

/** Random operators give other numbers every time: there only types and shapes count. */
export function compareAnswers(a: Answer, b: Answer, isRandom: boolean): { verdict: Verdict; why: string } {
  if (a.kind !== 'outputs' || b.kind !== 'outputs') {
    return a.kind === b.kind
      ? { verdict: 'same', why: '' }
      : { verdict: 'different', why: `${describe(a)}, then ${describe(b)}` };
  }
  if (a.outputs.length !== b.outputs.length) return { verdict: 'different', why: 'another number of outputs' };
  let verdict: Verdict = 'same';
  for (const [i, left] of a.outputs.entries()) {
    const right = b.outputs[i]!;
    const shapes = `${left.dtype}[${left.dims}]`;
    if (shapes !== `${right.dtype}[${right.dims}]`) {
      return { verdict: 'different', why: `${left.name}: ${shapes}, then ${right.dtype}[${right.dims}]` };
    }
    if (isRandom || Buffer.compare(left.bytes, right.bytes) === 0) continue;
    const distance = furthest(left, right);
    if (!(distance <= 1e-5)) return { verdict: 'different', why: `${left.name}: numbers differ by ${distance}` };
    verdict = 'rounding';
  }
  return { verdict, why: '' };
}

function describe(answer: Answer): string {
  return answer.kind === 'outputs'
    ? 'outputs'
    : answer.kind === 'abort'
      ? 'an abort'
      : `${answer.kind} error (${answer.message})`;
}

/** Largest difference as a share of the largest magnitude; infinite where numbers cannot be compared. */
function furthest(a: Output, b: Output): number {
  const view = { float32: Float32Array, float64: Float64Array }[a.dtype as 'float32' | 'float64'];
  if (!view) return Number.POSITIVE_INFINITY;
  const [x, y] = [new view(a.bytes.slice().buffer), new view(b.bytes.slice().buffer)];
  let largest = 0;
  let apart = 0;
  for (const [i, left] of x.entries()) {
    const right = y[i]!;
    if (Object.is(left, right) || (Number.isNaN(left) && Number.isNaN(right)) || left === right) continue;
    if (!Number.isFinite(left) || !Number.isFinite(right)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(left));
    apart = Math.max(apart, Math.abs(left - right));
  }
  return apart === 0 ? 0 : apart / Math.max(largest, 1e-30);
}
