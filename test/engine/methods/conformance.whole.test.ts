// Every variant of every method over tiny models: each branch of it makes sound graphs that load, foretold to the byte.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Kernels, openKernels } from '../../../src/engine/kernels';
import { subjects } from './bench';
import { conforms, variants } from './conform';

let kernels: Kernels;
beforeAll(async () => {
  kernels = await openKernels({ threads: 1, worker: null });
});
afterAll(() => kernels.close());

const others = Object.entries(variants).flatMap(([method, all]) => all.slice(1).map((params) => ({ method, params })));
describe.each(others)('$method $params', ({ method, params }) => {
  test.each(Object.keys(subjects))('%s', (name) => conforms(kernels, name, method, params));
});
