// Every gradient rule, in every variant: against PyTorch's numbers in float32, against finite differences in float64.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/engine/graph/graph';
import { rules } from '../../../src/engine/train/rules';
import { node } from '../models';
import { cases } from './cases';
import { byDifferences, byRules, type Checked, distance, type Input, plainLoss, pull } from './gradient-check';

type Packed = readonly [dims: number[], values: number[], dtype?: 'int64' | 'bool'];
interface Recorded {
  readonly in: Readonly<Record<string, Packed>>;
  readonly out: readonly Packed[];
  readonly grad: Readonly<Record<string, Packed>>;
}

const recorded = JSON.parse(readFileSync(new URL('../../oracles/gradients.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Recorded>
>;

function checkedOf(name: string): Checked {
  const { nodes, constants = [] } = cases[name]!;
  const record = recorded[name]!;
  const inputs = Object.fromEntries(
    Object.entries(record.in).map(([key, [dims, values, dtype]]): [string, Input] => [
      key,
      { dims, values, ...(dtype ? { dtype } : {}) },
    ]),
  );
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const outputs = ['y', 'y1', 'y2'].filter((output) => made.has(output));
  return { nodes, constants, inputs, outputs, outputDims: record.out.map(([dims]) => dims) };
}

/** Operators through which nothing flows, each on something made of a. */
const stops: Readonly<Record<string, readonly Node[]>> = {
  Bernoulli: [node('Sigmoid', ['a'], ['chance']), node('Bernoulli', ['chance'], ['made'])],
  EyeLike: [node('EyeLike', ['a'], ['made'])],
  Hardmax: [node('Hardmax', ['a'], ['made'])],
  RandomNormalLike: [node('RandomNormalLike', ['a'], ['made'])],
  RandomUniformLike: [node('RandomUniformLike', ['a'], ['made'])],
};

describe('rules', () => {
  it('are recorded case by case', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(recorded).sort());
  });

  describe.each(Object.keys(cases))('%s', (name) => {
    const wrt = Object.keys(recorded[name]?.grad ?? {});
    const checked = checkedOf(name);
    const record = recorded[name]!;

    it('agrees with PyTorch', async () => {
      const { outputs, gradients } = await byRules(checked, 'float32', wrt);
      for (const [i, [, values]] of record.out.entries())
        expect(distance(outputs[i], values), `output ${i}`).toBeLessThanOrEqual(1e-6);
      for (const [input, [, values]] of Object.entries(record.grad))
        expect(distance(gradients.get(input), values), `gradient of ${input}`).toBeLessThanOrEqual(1e-6);
    });

    // A step in the values, or a gradient that is not theirs on purpose, has no differences to agree with.
    if (cases[name]!.isBent) return;
    it('agrees with finite differences', async () => {
      // Without a float64 kernel the rule is computed in float32, the differences still in float64.
      const isPlain = plainLoss(checked) !== null;
      const { gradients } = await byRules(checked, isPlain ? 'float32' : 'float64', wrt);
      for (const [input, slopes] of await byDifferences(checked, wrt))
        expect(distance(gradients.get(input), slopes), `gradient of ${input}`).toBeLessThanOrEqual(
          isPlain ? 1e-6 : 1e-8,
        );
    });
  });

  it.each(Object.keys(stops))('%s lets nothing through', async (op) => {
    const checked: Checked = {
      nodes: [...stops[op]!, node('Add', ['made', 'a'], ['y'])],
      constants: [],
      inputs: { a: { dims: [2, 2], values: [0.5, 1, -0.5, 2] } },
      outputs: ['y'],
      outputDims: [[2, 2]],
    };
    const { gradients } = await byRules(checked, 'float32', ['a']);
    expect([...gradients.get('a')!]).toEqual(pull(4));
  });

  it('are all tested', () => {
    const oracles = new URL('../../oracles/', import.meta.url);
    const layers = readdirSync(oracles)
      .filter((file) => /^gradients-.*\.json$/.test(file))
      .flatMap(
        (file) => JSON.parse(readFileSync(new URL(file, oracles), 'utf8')) as readonly { readonly op: string }[],
      );
    const tested = new Set([
      ...Object.values(cases).flatMap(({ nodes }) => nodes.map(({ op }) => op)),
      ...layers.map(({ op }) => op),
      ...Object.keys(stops),
    ]);
    expect(Object.keys(rules).filter((op) => !tested.has(op))).toEqual([]);
  });
});
