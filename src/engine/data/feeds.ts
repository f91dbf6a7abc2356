// Packs prepared samples into one tensor of the type a model's input takes.
import { refuse } from '../../contract/words/refusal';
import type { DataType } from '../graph/graph';
import { elementCount } from '../graph/graph';
import { float16FromFloat32 } from '../graph/tensor';
import type { Feed, FeedData } from '../runtime/session';
import type { InputPlan } from './adapt';
import type { Prepared } from './prepare';

/** `rows` is the leading dimension; where there are fewer samples the last is repeated. */
export function packFeed(samples: readonly Prepared[], rows: number, plan: InputPlan): Feed {
  const first = samples[0]!;
  const size = elementCount(first.dims);
  const all = new Float64Array(size * rows);
  samples.forEach((sample, i) => {
    if (sample.dims.join() !== first.dims.join()) {
      refuse(
        'bad-dataset',
        `Samples differ in shape: ${first.dims.join('×')} and ${sample.dims.join('×')}.`,
        'Give them one size with resize or crop.',
        `inputs.${plan.name}.resize`,
      );
    }
    all.set(sample.data, i * size);
  });
  for (let i = samples.length; i < rows; i++)
    all.copyWithin(i * size, (samples.length - 1) * size, samples.length * size);
  return {
    dtype: plan.dtype,
    dims: plan.batchless ? first.dims : [rows, ...first.dims],
    data: toType(all, plan.dtype, plan.port.name),
  };
}

/** Integers take the nearest whole number; what their type cannot hold is a refusal. */
function toType(values: Float64Array, dtype: DataType, input: string): FeedData {
  const whole = <T extends Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array>(
    into: T,
  ): T => {
    for (let i = 0; i < values.length; i++) {
      into[i] = Math.round(values[i]!);
      if (into[i] !== Math.round(values[i]!)) {
        refuse(
          'bad-dataset',
          `"${input}" takes ${dtype}, which cannot hold ${values[i]}.`,
          'Change scale, mean or std.',
        );
      }
    }
    return into;
  };
  const big = (value: number) =>
    Number.isSafeInteger(Math.round(value))
      ? BigInt(Math.round(value))
      : refuse('bad-dataset', `"${input}" takes ${dtype}, which cannot hold ${value}.`);
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return values;
    case 'float16':
      return Uint16Array.from(values, float16FromFloat32);
    case 'bool':
      return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
    case 'uint8':
      return whole(new Uint8Array(values.length));
    case 'int8':
      return whole(new Int8Array(values.length));
    case 'uint16':
      return whole(new Uint16Array(values.length));
    case 'int16':
      return whole(new Int16Array(values.length));
    case 'uint32':
      return whole(new Uint32Array(values.length));
    case 'int32':
      return whole(new Int32Array(values.length));
    case 'uint64':
      return BigUint64Array.from(values, (value) => BigInt.asUintN(64, big(value)));
    case 'int64':
      return BigInt64Array.from(values, big);
    default:
      return refuse('unsupported', `"${input}" takes ${dtype}, which a dataset cannot feed.`);
  }
}
