// Sums of products of a layer's inputs, in runs of inputs that are added in order.
import type { Hessian } from './kernels';
import type { Pool } from './pool';
import { addTile, gramRun } from './reference/gram';

export async function addInputs(_pool: Pool, into: Hessian, inputs: Float32Array, signal?: AbortSignal): Promise<void> {
  const { columns, data } = into;
  if (!(data instanceof Float64Array) || data.length !== columns * columns || inputs.length % columns !== 0)
    throw new RangeError(`inputs of ${columns} elements into a sum of ${data.length}`);
  for (let from = 0; from < inputs.length; from += gramRun * columns) {
    signal?.throwIfAborted();
    const run = inputs.subarray(from, from + gramRun * columns);
    addTile(data, run, columns, { rowFrom: 0, rows: columns, columnFrom: 0, columns });
  }
}
