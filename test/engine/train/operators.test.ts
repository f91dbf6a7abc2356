// Convolutions, pools, normalisations, recurrent networks and attention: outputs and gradients against those PyTorch computed in float64.
import { describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import type { Model } from '../../../src/engine/graph/graph';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { openSession } from '../../../src/engine/runtime/session';
import { differentiate } from '../../../src/engine/train/backward';
import { decompose } from '../../../src/engine/train/decompose';
import { withBatchStatistics } from '../../../src/engine/train/decompose/batch-statistics';
import { withFixedInputs } from '../../../src/engine/train/fix';
import { model, node, value } from '../models';
import { distance } from './gradient-check';
import { cases, drawn, nodeOf, pullOf, type Recorded, unpacked } from './recorded';

/** The node with the loss Σ y·r behind it; r is drawn as in the script. */
function modelOf(one: Recorded, index: number): Model {
  const { node: it, constants } = nodeOf(one);
  const pulled = one.outputs.flatMap(({ dims }, i) => {
    constants.push(floatTensor(`r${i}`, dims, pullOf(dims, index, i)));
    return [
      node('Mul', [`y${i}`, `r${i}`], [`pulled${i}`]),
      node('ReduceSum', [`pulled${i}`], [`part${i}`], { keepdims: 0 }),
    ];
  });
  const isOrdinary = one.op !== 'BatchNormalization';
  const stays = Object.entries(one.inputs).filter(([name]) => isOrdinary || name === 'x');
  for (const [name, spec] of Object.entries(one.inputs))
    if (!stays.some(([other]) => other === name)) constants.push(floatTensor(name, spec.dims, drawn(spec)));
  return model({
    opset: one.opset ?? 21,
    irVersion: (one.opset ?? 21) > 21 ? 11 : 10,
    ...(one.domain ? { opsets: { [one.domain]: 1 } } : {}),
    inputs: stays.map(([name, { dims }]) => value(name, 'float32', dims)),
    outputs: [value('loss', 'float32', []), ...one.outputs.map(({ dims }, i) => value(`y${i}`, 'float32', dims))],
    nodes: [
      it,
      ...pulled,
      node(
        'Sum',
        one.outputs.map((_, i) => `part${i}`),
        ['loss'],
      ),
    ],
    initializers: constants,
  });
}

describe('operators', () => {
  it.each(cases.map((one, index) => [one.name, one, index] as const))('%s', async (_, one, index) => {
    const dims = new Map(Object.entries(one.inputs).map(([name, input]) => [name, input.dims]));
    const fixed = await withFixedInputs(modelOf(one, index), dims);
    const trained = one.train ? withBatchStatistics(fixed.model, fixed.known) : fixed;
    const written = await decompose(trained.model, trained.known);
    const wrt = Object.keys(one.gradients);
    const keep = one.outputs.map((__, i) => `y${i}`);
    const made = await differentiate(written.model, { loss: 'loss', wrt, keep, known: written.known });
    const session = await openSession(await encode(made.model), { threads: 1 });
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => {
        const spec = one.inputs[name]!;
        return [name, { dtype: 'float32' as const, dims: spec.dims, data: drawn(spec) }];
      }),
    );
    const answer = await session.run(feeds);
    await session.close();
    for (const [i, { dims: size, values }] of one.outputs.entries()) {
      expect(answer[`y${i}`]!.dims).toEqual(size);
      expect(distance(answer[`y${i}`]!.data as Float32Array, unpacked(values)), `output ${i}`).toBeLessThan(1e-5);
    }
    for (const [name, values] of Object.entries(one.gradients)) {
      const gradient = answer[made.gradients.get(name)!]!;
      expect(gradient.dims).toEqual(one.inputs[name]!.dims);
      expect(distance(gradient.data as Float32Array, unpacked(values)), `gradient of ${name}`).toBeLessThan(1e-5);
    }
  });
});
