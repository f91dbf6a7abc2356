// What a model holds, read independently of the code under test.
import { readFileSync } from 'node:fs';
import { tensorsOf } from '../../../../src/engine/formats/onnx/layout';
import type { Model, Tensor } from '../../../../src/engine/graph/graph';

/** The bytes of every tensor by hand, from wherever they lie. */
export function contents(model: Model): string[] {
  return [...tensorsOf(model)].map(({ name, dtype, dims, data }: Tensor) => {
    const bytes =
      data.kind === 'bytes'
        ? Buffer.from(data.bytes)
        : data.kind === 'file'
          ? readFileSync(data.file).subarray(data.offset, data.offset + data.length)
          : Buffer.concat(data.strings);
    return `${name} ${dtype}[${dims}] ${bytes.toString('base64')}`;
  });
}
