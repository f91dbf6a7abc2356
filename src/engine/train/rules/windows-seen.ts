// What each tap of a kernel sees of the input.
import type { Tape } from '../tape';
import { slice } from './slices';
import type { Windows } from './windows';

/** Every tap of a kernel as its index per axis, the last axis fastest. */
export function taps(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (found, size) => found.flatMap((tap) => Array.from({ length: size }, (_, i) => [...tap, i])),
    [[]],
  );
}

/** What one tap of the kernel sees of the padded input: [N, C, out…]. */
export function tapOf(
  tape: Tape,
  from: string,
  tap: readonly number[],
  output: readonly number[],
  { strides, dilations }: Windows,
): string {
  const starts = tap.map((at, i) => at * dilations[i]!);
  return slice(
    tape,
    from,
    starts.map((start, i) => ({
      axis: i + 2,
      start,
      end: start + (output[i]! - 1) * strides[i]! + 1,
      step: strides[i]!,
    })),
  );
}
