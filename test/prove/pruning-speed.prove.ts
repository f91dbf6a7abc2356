// How long the pruning of a layer takes beside rounding it by gptq, in turns on one thread; docs/evidence/pruning.json.
import { afterAll, expect, it } from 'vitest';
import { openKernels, type PruneRequest } from '../../src/engine/kernels';
import { draws } from '../engine/kernels/layer';
import { floatTensor } from '../engine/kernels/tensors';
import { record } from './evidence';

const kernels = await openKernels({ worker: null });
afterAll(() => kernels.close());

const side = 1536;
const turns = 3;

it('seconds of processor time for a square layer', async () => {
  const { normal } = draws(1);
  const tensor = floatTensor(
    Float32Array.from({ length: side * side }, () => normal() * 0.02),
    [side, side],
  );
  const matrix = { tensor, rows: side, columns: side, order: 'rows' } as const;
  const inputs = Float32Array.from({ length: 2 * side * side }, normal);
  // A Hessian of its own each time: its factor is part of the work.
  const hessian = async () => {
    const made = { columns: side, data: new Float64Array(side * side) };
    await kernels.addInputs(made, inputs);
    return made;
  };
  const seconds = async (work: (ask: Awaited<ReturnType<typeof hessian>>) => Promise<unknown>) => {
    const given = await hessian();
    const before = process.cpuUsage();
    await work(given);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  const prune = (over: Partial<PruneRequest>) => kernels.prune({ ...matrix, drop: { share: 0.5 }, ...over });
  const ways: Record<string, (ask: Awaited<ReturnType<typeof hessian>>) => Promise<unknown>> = {
    gptq: (given) =>
      kernels.quantize({
        ...{ ...matrix, bits: 4, groupSize: 32, symmetric: true, zero: 'unsigned', pack: 'blocks' },
        ...{ scaleRule: 'signed-max', rounding: 'gptq', hessian: given },
      }),
    sparsegpt: (given) => prune({ hessian: given }),
    'sparsegpt 2:4': (given) => prune({ hessian: given, drop: { keep: 2, of: 4 } }),
    wanda: () => prune({ squares: new Float64Array(side).fill(1) }),
    'wanda 2:4': () => prune({ squares: new Float64Array(side).fill(1), drop: { keep: 2, of: 4 } }),
  };
  const taken: Record<string, number[]> = {};
  for (let turn = 0; turn < turns; turn++)
    for (const [name, way] of Object.entries(ways)) (taken[name] ??= []).push(await seconds(way));
  const best = Object.fromEntries(Object.entries(taken).map(([name, all]) => [name, Math.min(...all)]));
  const toGptq = Object.fromEntries(Object.entries(best).map(([name, one]) => [name, one / best.gptq!]));
  record('pruning', 'seconds of a layer', { side, turns, best, toGptq });
  expect(toGptq.sparsegpt).toBeLessThan(10);
});
