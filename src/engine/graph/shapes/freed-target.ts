// A constant Reshape target that pins the batch to 1, with that 1 turned into "as the input".
import type { Dim } from '../graph';

/**
 * `shape` begins with the batch. The target is the one for batch 1 where it begins with 1 and the rest holds exactly one
 * sample; null where it does not, or where −1 in front already follows the batch.
 */
export function freedTarget(shape: readonly Dim[], target: readonly Dim[] | undefined): number[] | null {
  const numbers = target?.every((dim) => typeof dim === 'number') ? (target as readonly number[]) : null;
  const rest = shape.slice(1);
  if (numbers?.[0] !== 1 || !rest.every((dim) => typeof dim === 'number')) return null;
  const perSample = (rest as number[]).reduce((a, b) => a * b, 1);
  const others = numbers.slice(1).map((dim, i) => (dim === 0 ? Number(shape[i + 1] ?? Number.NaN) : dim));
  const product = others.filter((dim) => dim !== -1).reduce((a, b) => a * b, 1);
  const fits = others.includes(-1) ? product !== 0 && perSample % product === 0 : perSample === product;
  return fits ? [0, ...numbers.slice(1)] : null;
}
