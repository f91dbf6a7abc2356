// A tensor in half precision, with what that cost: read back piece by piece, overflow stored as the largest half.
import { dataTypes, elementCount, type Tensor } from '../../graph/graph';
import { decodeFloat16, numbersOf, readRange } from '../../graph/tensor';
import type { Kernels, QuantizeLoss } from '../../kernels/kernels';

const infinity = 0x7c00;
const largest = 0x7bff;
const piece = 1 << 20;

/** float16 bytes of a floating-point tensor; the loss is over finite weights. */
export async function halve(
  kernels: Kernels,
  tensor: Tensor,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; loss: QuantizeLoss }> {
  const bytes = await kernels.toFloat16(tensor, { signal });
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const width = dataTypes[tensor.dtype].bits / 8;
  const count = elementCount(tensor.dims);
  let sum = 0;
  let noise = 0;
  let clipped = 0;
  for (let from = 0; from < count; from += piece) {
    signal.throwIfAborted();
    const length = Math.min(piece, count - from);
    const source = numbersOf(
      tensor.dtype,
      length,
      await readRange(tensor, from * width, length * width),
      tensor.name,
    ) as Float32Array;
    const part = halves.subarray(from, from + length);
    for (let i = 0; i < length; i++) {
      // A finite weight that a half cannot hold: an infinity would poison every sum it enters.
      if ((part[i]! & 0x7fff) !== infinity || !Number.isFinite(source[i]!)) continue;
      part[i] = (part[i]! & 0x8000) | largest;
      clipped++;
    }
    const back = decodeFloat16(part);
    for (let i = 0; i < length; i++) {
      const weight = source[i]!;
      if (!Number.isFinite(weight)) continue;
      const error = weight - back[i]!;
      sum += weight * weight;
      noise += error * error;
    }
  }
  return { bytes, loss: { signal: sum, noise, clipped } };
}
