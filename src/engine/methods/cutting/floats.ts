// What came back from the runtime as float32 numbers.
import { decodeFloat16 } from '../../graph/tensor';
import type { Feed } from '../../runtime/session';

/** Null where the value is not of floats. */
export function floatsOf({ dtype, data }: Feed): Float32Array | null {
  if (data instanceof Float32Array) return data;
  return dtype === 'float16' && data instanceof Uint16Array ? decodeFloat16(data) : null;
}
