// Fits a source's samples to a model's input: what the spec says, then what the input's shape leaves no doubt about, said aloud.
import type { InputSpec } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import { type DataType, dataTypes, elementCount } from '../graph/graph';
import type { InputPort } from './dataset';
import type { DenseShape } from './sources/source';

export interface InputPlan {
  /** The key of the spec that applies: the input's name or `*`. */
  readonly name: string;
  readonly port: InputPort;
  readonly dtype: DataType;
  /** As given, with what was settled here filled in. */
  readonly spec: InputSpec;
  readonly layout: 'NCHW' | 'NHWC';
  /** Of one sample; −1 is whatever is left. */
  readonly reshape: readonly number[] | null;
  /** The input has no batch axis: samples are fed one at a time, as they are. */
  readonly batchless: boolean;
  /** The input's batch where it is a number, else null. */
  readonly fixedBatch: number | null;
  readonly notes: readonly string[];
}

type Dims = readonly (number | string | null)[];
const feedable = new Set<DataType>([
  'float32',
  'float64',
  'float16',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'int64',
  'bool',
]);

export function planInput(shape: DenseShape, inputs: Record<string, InputSpec>, port: InputPort): InputPlan {
  const name = Object.hasOwn(inputs, port.name) ? port.name : '*';
  const spec: InputSpec = { ...(Object.hasOwn(inputs, name) ? inputs[name] : {}) };
  const notes: string[] = [];
  const dtype = inputType(spec, port, name);
  checkNormalisation(spec, shape, name);

  const wanted: Dims | null = port.shape.length > 0 ? port.shape.slice(1) : null;
  if (shape.kind === 'picture') settlePicture(spec, shape, wanted, port.name, notes);
  const layout = layoutOf(spec, shape, wanted);
  const own = shapeAfter(spec, shape, layout);
  const { reshape, batchless } = settleShape(spec, own, wanted, port, notes);
  const first = port.shape[0];
  const fixedBatch = batchless || typeof first !== 'number' || first < 1 ? null : first;
  return { name, port, dtype, spec, layout, reshape, batchless, fixedBatch, notes };
}

function inputType(spec: InputSpec, port: InputPort, name: string): DataType {
  const dtype = (port.dtype ?? spec.dtype ?? 'float32') as DataType;
  if (!Object.hasOwn(dataTypes, dtype) || !feedable.has(dtype)) {
    refuse('unsupported', `The input "${port.name}" takes ${dtype}, which a dataset cannot feed.`);
  }
  if (spec.dtype !== undefined && spec.dtype !== dtype) {
    const place = `inputs.${name}.dtype`;
    refuse(
      'bad-dataset',
      `The input "${port.name}" takes ${dtype}, not ${spec.dtype}.`,
      `Say ${dtype}, or leave it out.`,
      place,
    );
  }
  return dtype;
}

function checkNormalisation(spec: InputSpec, shape: DenseShape, name: string): void {
  const channels = spec.colour === 'gray' ? 1 : spec.colour ? 3 : shape.kind === 'picture' ? shape.channels : 1;
  for (const key of ['mean', 'std'] as const) {
    const list = spec[key];
    if (!list) continue;
    const place = `inputs.${name}.${key}`;
    if (key === 'std' && list.some((value) => value === 0))
      refuse('bad-dataset', 'A std of 0 divides by nothing.', undefined, place);
    if (list.length !== 1 && channels !== null && list.length !== channels) {
      const one = channels === 1 ? 'one' : `one, or ${channels}`;
      refuse(
        'bad-dataset',
        `${key} has ${list.length} numbers and the samples have ${channels} channels.`,
        `Give ${one}.`,
        place,
      );
    }
  }
  if (shape.kind === 'values' && (spec.resize || spec.crop || spec.colour)) {
    refuse(
      'bad-dataset',
      `Samples of ${shape.dims.join('×')} are no pictures: they cannot be resized, cropped or coloured.`,
    );
  }
}

/** Channels and size where pictures are decoded to what is asked (image folders). */
function settlePicture(
  spec: InputSpec,
  shape: DenseShape & { kind: 'picture' },
  wanted: Dims | null,
  input: string,
  notes: string[],
): void {
  if (shape.channels !== null || !wanted || wanted.length !== 3) return;
  const [a, b, c] = wanted;
  const isLast = spec.layout ? spec.layout === 'NHWC' : (c === 1 || c === 3) && a !== 1 && a !== 3;
  const channels = isLast ? c : a;
  if (spec.colour === undefined && channels === 1) {
    spec.colour = 'gray';
    notes.push(`"${input}" takes one channel: pictures are read in gray.`);
  }
  const height = isLast ? a : b;
  const width = isLast ? b : c;
  if (!spec.resize && !spec.crop && typeof height === 'number' && typeof width === 'number') {
    spec.resize = { width, height, fit: 'cover', filter: 'bilinear', antialias: true };
    notes.push(`"${input}" takes ${width}×${height}: pictures are scaled to cover that, the middle kept.`);
  }
}

function layoutOf(spec: InputSpec, shape: DenseShape, wanted: Dims | null): 'NCHW' | 'NHWC' {
  if (spec.layout) return spec.layout;
  if (shape.kind !== 'picture') return 'NCHW';
  const channels = spec.colour === 'gray' ? 1 : spec.colour ? 3 : (shape.channels ?? 3);
  if (wanted?.length === 3) {
    if (wanted[0] === channels && wanted[2] !== channels) return 'NCHW';
    if (wanted[2] === channels && wanted[0] !== channels) return 'NHWC';
  }
  return shape.bytes ? 'NCHW' : shape.layout;
}

/** One sample's shape before any reshape; null entries where pictures differ. */
function shapeAfter(spec: InputSpec, shape: DenseShape, layout: 'NCHW' | 'NHWC'): readonly (number | null)[] {
  if (shape.kind === 'values') return shape.dims;
  const frame = spec.crop ?? spec.resize ?? shape;
  const channels = spec.colour === 'gray' ? 1 : spec.colour ? 3 : (shape.channels ?? 3);
  return layout === 'NCHW' ? [channels, frame.height, frame.width] : [frame.height, frame.width, channels];
}

function settleShape(
  spec: InputSpec,
  own: readonly (number | null)[],
  wanted: Dims | null,
  port: InputPort,
  notes: string[],
): { reshape: readonly number[] | null; batchless: boolean } {
  if (spec.reshape) {
    // With the batch in front or without it: both are written in practice.
    const isWhole = wanted !== null && spec.reshape.length === wanted.length + 1 && Math.abs(spec.reshape[0]!) === 1;
    return { reshape: isWhole ? spec.reshape.slice(1) : spec.reshape, batchless: false };
  }
  if (!wanted || !own.every((dim) => dim !== null)) return { reshape: null, batchless: false };
  const agrees = (a: readonly number[], b: Dims) =>
    a.length === b.length && b.every((dim, i) => typeof dim !== 'number' || dim < 0 || dim === a[i]);
  const dims = own as readonly number[];
  if (agrees(dims, wanted)) return { reshape: null, batchless: false };

  const count = elementCount(dims);
  const known = wanted.filter((dim): dim is number => typeof dim === 'number' && dim > 0);
  const open = wanted.length - known.length;
  const product = elementCount(known);
  const whole = elementCount(port.shape.filter((dim): dim is number => typeof dim === 'number' && dim > 0));
  const isWhole = port.shape.every((dim) => typeof dim === 'number' && dim > 0);
  if (open === 0 && product === count) {
    notes.push(`Samples of ${dims.join('×')} are fed as ${known.join('×')}, the shape of "${port.name}".`);
    return { reshape: known, batchless: false };
  }
  if (isWhole && whole === count) {
    notes.push(`"${port.name}" has no batch axis: samples are fed one at a time as ${port.shape.join('×')}.`);
    return { reshape: port.shape as readonly number[], batchless: true };
  }
  if (open === 1 && count % product === 0 && wanted.length !== dims.length) {
    const filled = wanted.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : count / product));
    notes.push(`Samples of ${dims.join('×')} are fed as ${filled.join('×')}, the shape of "${port.name}".`);
    return { reshape: filled, batchless: false };
  }
  const asked = wanted.map((dim) => (typeof dim === 'number' ? dim : '?')).join('×') || 'a single number';
  return refuse(
    'bad-dataset',
    `"${port.name}" takes ${asked} and a sample is ${dims.join('×')}.`,
    'Say how to get there with resize, crop, colour, layout or reshape, in dataset.json or a preset.',
    'inputs',
  );
}
