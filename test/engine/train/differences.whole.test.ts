// The recorded gradients of convolutions, pools, normalisations and recurrent networks against finite differences of plain float64 forwards.
import { describe, expect, it } from 'vitest';
import { type Array64, forwards } from '../../oracles/forward-windows';
import { distance } from './gradient-check';
import { cases, drawn, nodeOf, pullOf, unpacked } from './recorded';

describe('operators in float64', () => {
  const plain = cases
    .map((one, index) => [one.name, one, index] as const)
    .filter(([, { op, domain }]) => !domain && forwards[op] && op !== 'Attention');

  it.each(plain)('%s', (_, one, index) => {
    const { node: it } = nodeOf(one);
    const inputs = new Map(Object.entries(one.inputs).map(([name, spec]) => [name, Float64Array.from(drawn(spec))]));
    const pulls = one.outputs.map(({ dims }, i) => pullOf(dims, index, i));
    const loss = (): number => {
      const given = it.inputs.map((name): Array64 | undefined =>
        inputs.has(name) ? { dims: one.inputs[name]!.dims, data: inputs.get(name)! } : undefined,
      );
      const answers = forwards[one.op]!(it, one.train ? given.slice(0, 3) : given);
      return pulls.reduce((all, pull, i) => all + pull.reduce((sum, r, at) => sum + r * answers[i]!.data[at]!, 0), 0);
    };
    for (const [name, values] of Object.entries(one.gradients)) {
      const gradient = unpacked(values);
      const array = inputs.get(name)!;
      // A dozen elements of each input, spread over it.
      const picked = [...array.keys()].filter((at) => at % Math.ceil(array.length / 12) === 0);
      const slopes = picked.map((at) => {
        const [middle, step] = [array[at]!, 1e-5];
        const [high, low] = [middle + step, middle - step].map((value) => {
          array[at] = value;
          return loss();
        }) as [number, number];
        array[at] = middle;
        return (high - low) / (2 * step);
      });
      const recorded = picked.map((at) => gradient[at]!);
      expect(distance(recorded, slopes), `gradient of ${name}`).toBeLessThan(1e-6);
    }
  });
});
