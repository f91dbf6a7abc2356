// Ranges of activations from moments alone.
import type { Range } from '../../measure/activations';
import { momentsOf } from '../../measure/moments';
import type { InputMoments } from '../../measure/moments-values';
import type { Subject } from '../method';

/** The widest channel of each value decides. Throws where a value has no moments: `fits` must have refused it. */
export async function rangesWithoutData(
  { model, shapes }: Subject,
  values: readonly string[],
  input: (name: string) => InputMoments,
): Promise<ReadonlyMap<string, Range>> {
  const known = await momentsOf(model.graph, shapes, input);
  return new Map(
    values.map((value): [string, Range] => {
      const moments = known.get(value);
      if (!moments) throw new Error(`${value} has no moments`);
      const min = moments.low.reduce((a, b) => Math.min(a, b), Infinity);
      const max = moments.high.reduce((a, b) => Math.max(a, b), -Infinity);
      return [value, { min, max }];
    }),
  );
}
