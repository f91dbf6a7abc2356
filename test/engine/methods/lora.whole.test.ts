// Adapters kept apart, on every kind of base: sizes as told, the same twice, another seed is another adapter.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { type Model, storedBytes } from '../../../src/engine/graph/graph';
import { verify } from '../../../src/engine/graph/verify';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { foretell, withCut } from './bench';
import { answersOf, distance, little, quick, step, withoutJudge } from './little-attention';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const bases: Record<string, readonly [before: readonly object[], params: object]> = {
  float: [[], { merge: false }],
  '8 bits': [[{ method: 'weight-only', params: { bits: 8, symmetric: false } }], {}],
  '4 bits': [[{ method: 'weight-only', params: { bits: 4, activations: 'float32' } }], {}],
  '2 bits': [[{ method: 'weight-only', params: { bits: 2 } }], {}],
  'static int8': [[{ method: 'int8-static', params: {} }], {}],
  LoftQ: [[], { init: 'loftq' }],
};
const forms = { plain: {}, DoRA: { dora: true }, stabilised: { rankStabilised: true, targets: 'attention' } };

test.each(
  Object.keys(bases).flatMap((base) => Object.keys(forms).map((form) => [base, form as keyof typeof forms] as const)),
)('%s, %s', async (base, form) => {
  const [before, own] = bases[base]!;
  const steps = [...before, step({ ...quick, ...own, ...forms[form] })];
  const told = await foretell(little(), steps);
  const sizes = ({ graph }: Model) =>
    [...graph.initializers.values()].map((tensor) => [tensor.name, storedBytes(tensor)]);
  const unchanged = await answersOf(little());
  const make = (seed: number) =>
    withCut(
      kernels,
      little(),
      steps,
      async ({ taken: { subject } }) => {
        expect(verify(subject.model)).toEqual([]);
        expect(sizes(subject.model)).toEqual(sizes(told.taken.subject.model));
        expect(subject.model.metadata).toEqual(told.taken.subject.model.metadata);
        expect(subject.sites.map(({ name }) => name)).toEqual(
          expect.arrayContaining(['n1', 'n1/lora_A', 'n1/lora_B', 'n8']),
        );
        expect(distance(await answersOf(subject.model), unchanged)).toBeGreaterThan(1e-3);
        return Buffer.from(await encode(subject.model)).toString('base64');
      },
      seed,
      withoutJudge,
    );
  const first = await make(1);
  expect(await make(1)).toBe(first);
  expect(await make(2)).not.toBe(first);
});
