// Arrays of equal samples, as IDX, NumPy and the members of an .npz hold them: one header, then numbers in order.
import { refuse } from '../../../contract/words/refusal';
import type { DataType } from '../../graph/graph';
import { elementCount } from '../../graph/graph';
import { float32FromFloat16 } from '../../graph/tensor';
import type { SeenFile } from '../../tasks';
import { type ByteStream, mostSamples, mostValuesPerSample } from '../bytes';
import type { DenseShape, Labels, Numbers, Sample, Source } from './source';

export interface ArrayHeader {
  /** The format's name as the spec spells it. */
  readonly format: string;
  /** As the user would call it: the file, or the file and its member. */
  readonly name: string;
  readonly file: SeenFile;
  readonly dtype: DataType;
  readonly bytesPerValue: number;
  readonly bigEndian: boolean;
  readonly dims: readonly number[];
  /** Where the numbers begin. */
  readonly offset: number;
  /** Opens the bytes at a position. */
  open(at: number): Promise<ByteStream>;
}

/** Refuses headers whose sizes are nonsense; everything that allocates comes after. */
export function checkHeader(header: ArrayHeader): void {
  const { dims, name } = header;
  const said = dims.join('×') || 'nothing';
  if (dims.length === 0) refuse('bad-dataset', `${name} holds a single number, not samples.`);
  if (dims.length > 16 || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    refuse('bad-dataset', `${name} announces the shape ${said}, which no array has.`);
  }
  if (dims[0] === 0) refuse('bad-dataset', `${name} has no samples.`);
  if (dims[0]! > mostSamples) {
    refuse(
      'bad-dataset',
      `${name} announces ${dims[0]!.toLocaleString('en')} samples; ${mostSamples.toLocaleString('en')} is the limit.`,
    );
  }
  const perSample = elementCount(dims.slice(1));
  if (perSample === 0) refuse('bad-dataset', `${name} announces samples of ${said}, which hold nothing.`);
  if (perSample > mostValuesPerSample) {
    refuse(
      'bad-dataset',
      `${name} announces samples of ${perSample.toLocaleString('en')} values; 67,108,864 is the limit.`,
    );
  }
}

/** Bytes of the file's numbers → a typed array of this machine's order. 64-bit integers become doubles (exact to 2^53). */
export function decodeNumbers(bytes: Uint8Array, dtype: DataType, bigEndian: boolean): Numbers {
  const little = !bigEndian;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fill = <T extends Numbers>(into: T, step: number, read: (at: number) => number): T => {
    for (let i = 0; i < into.length; i++) into[i] = read(i * step);
    return into;
  };
  switch (dtype) {
    case 'uint8':
    case 'bool':
      return bytes.slice();
    case 'int8':
      return new Int8Array(bytes.slice().buffer);
    case 'uint16':
      return fill(new Uint16Array(bytes.byteLength / 2), 2, (at) => view.getUint16(at, little));
    case 'int16':
      return fill(new Int16Array(bytes.byteLength / 2), 2, (at) => view.getInt16(at, little));
    case 'uint32':
      return fill(new Uint32Array(bytes.byteLength / 4), 4, (at) => view.getUint32(at, little));
    case 'int32':
      return fill(new Int32Array(bytes.byteLength / 4), 4, (at) => view.getInt32(at, little));
    case 'float32':
      return fill(new Float32Array(bytes.byteLength / 4), 4, (at) => view.getFloat32(at, little));
    case 'float64':
      return fill(new Float64Array(bytes.byteLength / 8), 8, (at) => view.getFloat64(at, little));
    case 'int64':
      return fill(new Float64Array(bytes.byteLength / 8), 8, (at) => Number(view.getBigInt64(at, little)));
    case 'uint64':
      return fill(new Float64Array(bytes.byteLength / 8), 8, (at) => Number(view.getBigUint64(at, little)));
    case 'float16':
      return fill(new Float32Array(bytes.byteLength / 2), 2, (at) => float32FromFloat16(view.getUint16(at, little)));
    default:
      return refuse('bad-dataset', `Numbers of type ${dtype} are not read here.`);
  }
}

/** The order of a sample's axes: two are rows and columns, three are a picture where one of the ends counts channels. */
function shapeOf(dims: readonly number[], dtype: DataType): DenseShape {
  const bytes = dtype === 'uint8';
  const isColour = (count: number | undefined) => count === 1 || count === 3 || count === 4;
  if (dims.length === 2) {
    return { kind: 'picture', height: dims[0]!, width: dims[1]!, channels: 1, layout: 'NCHW', bytes };
  }
  if (dims.length === 3 && isColour(dims[2])) {
    return { kind: 'picture', height: dims[0]!, width: dims[1]!, channels: dims[2]!, layout: 'NHWC', bytes };
  }
  if (dims.length === 3 && isColour(dims[0])) {
    return { kind: 'picture', channels: dims[0]!, height: dims[1]!, width: dims[2]!, layout: 'NCHW', bytes };
  }
  return { kind: 'values', dims };
}

/** [C,H,W] → [H,W,C]. */
export function channelsLast(data: Numbers, channels: number, pixels: number): Numbers {
  if (channels === 1) return data;
  const out = new (data.constructor as new (length: number) => Numbers)(data.length);
  for (let c = 0; c < channels; c++) {
    for (let p = 0; p < pixels; p++) out[p * channels + c] = data[c * pixels + p]!;
  }
  return out;
}

export function arraySource(header: ArrayHeader): Source {
  checkHeader(header);
  const [samples, ...dims] = header.dims as [number, ...number[]];
  const perSample = elementCount(dims) * header.bytesPerValue;
  const shape = shapeOf(dims, header.dtype);

  function toSample(data: Numbers): Sample {
    if (shape.kind === 'values') return { kind: 'values', dims, data };
    const { width, height, channels } = shape as { width: number; height: number; channels: number };
    const pixels = shape.layout === 'NCHW' ? channelsLast(data, channels, width * height) : data;
    return { kind: 'picture', width, height, channels, data: pixels };
  }

  return {
    format: header.format,
    files: [header.file],
    samples,
    shape,
    dtype: header.dtype,
    labels: null,
    notes: [],
    async *read(from) {
      const stream = await header.open(header.offset + from * perSample);
      try {
        for (let i = from; i < samples; i++) {
          yield toSample(decodeNumbers(await stream.read(perSample), header.dtype, header.bigEndian));
        }
      } finally {
        await stream.close();
      }
    },
  };
}

/** The whole array as answers: classes where a classification asks for them, numbers for a regression. */
export async function arrayLabels(header: ArrayHeader, task: 'classification' | 'regression'): Promise<Labels> {
  checkHeader(header);
  const [count, ...dims] = header.dims as [number, ...number[]];
  const width = elementCount(dims);
  if (task === 'classification' && width !== 1) {
    refuse(
      'bad-dataset',
      `${header.name} has ${width} numbers a sample; a class is one.`,
      'Store the index of the class, not a row of zeros with a one.',
    );
  }
  if (count * width > mostSamples * 4) refuse('bad-dataset', `${header.name} holds more answers than fit in memory.`);
  const stream = await header.open(header.offset);
  try {
    const numbers = new Float64Array(count * width);
    const rows = Math.max(1, Math.floor((1 << 20) / (width * header.bytesPerValue)));
    for (let at = 0; at < count; at += rows) {
      const part = Math.min(rows, count - at);
      const bytes = await stream.read(part * width * header.bytesPerValue);
      numbers.set(decodeNumbers(bytes, header.dtype, header.bigEndian), at * width);
    }
    return task === 'regression'
      ? { files: [header.file], count, classes: null, numbers: { data: numbers, width }, names: null }
      : { files: [header.file], count, classes: toClasses(numbers, header.name), numbers: null, names: null };
  } finally {
    await stream.close();
  }
}

/** Refuses what is not the index of a class. */
export function toClasses(numbers: ArrayLike<number>, name: string): Int32Array {
  const classes = new Int32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i]!;
    if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
      refuse('bad-dataset', `${name}: the label of sample ${i} is ${value}, which is no class index.`);
    }
    classes[i] = value;
  }
  return classes;
}
