// The geometry of the cut: length ∝ parameters, height ∝ bits per weight, so area ∝ bytes. Pure numbers; cut.tsx draws them.

export interface CutLayer {
  name: string;
  parameters: number;
  bits: number;
  /** 0…1, unstructured: bytes have not shrunk, so the area stays and hairlines show the gaps. */
  sparsity?: number;
}

export interface CutSegment {
  /** One layer, or all of a block where layers were merged. */
  names: readonly string[];
  x: number;
  width: number;
  y: number;
  height: number;
  bits: number;
  parameters: number;
  sparsity: number;
}

export interface CutGeometry {
  segments: readonly CutSegment[];
  /** The workpiece before the cut. */
  stock: { width: number; y: number; height: number };
  middle: number;
}

export interface CutFrame {
  width: number;
  height: number;
  /** The parent: its parameters set the length, its bits the diameter. By default this model's own length at 32 bits. */
  stock?: { parameters: number; bits: number };
}

/** No layer is drawn narrower than this before everything is rescaled to the length. */
const leastWidth = 0.9;
/** The full diameter, in bits. */
const fullBits = 32;
const leastHeight = 1.5;
/** More layers than this are merged by block. */
export const mergeAbove = 200;

/** `model.layers.12.mlp.up` → `model.layers.12`: a name up to its first number. */
const blockOf = (name: string): string => /^(.*?\d+)(?=[./_]|$)/.exec(name)?.[1] ?? name;

interface Part extends CutLayer {
  names: string[];
}

function mergePair(one: Part, other: Part): Part {
  const parameters = one.parameters + other.parameters;
  const weigh = (a: number, b: number) =>
    parameters === 0 ? (a + b) / 2 : (a * one.parameters + b * other.parameters) / parameters;
  return {
    name: one.name,
    names: [...one.names, ...other.names],
    parameters,
    bits: weigh(one.bits, other.bits),
    sparsity: weigh(one.sparsity ?? 0, other.sparsity ?? 0),
  };
}

/** Merges neighbours of one block; where that is not enough, neighbours by count. */
export function mergeLayers(layers: readonly CutLayer[], most = mergeAbove): Part[] {
  const parts: Part[] = layers.map((layer) => ({ ...layer, names: [layer.name] }));
  if (parts.length <= most) return parts;
  const join = (together: (one: Part, other: Part, at: number) => boolean) => {
    const joined: Part[] = [];
    for (const [at, part] of parts.entries()) {
      const last = joined.at(-1);
      if (last && together(last, part, at)) joined[joined.length - 1] = mergePair(last, part);
      else joined.push(part);
    }
    return joined;
  };
  const blocks = join((one, other) => blockOf(one.name) === blockOf(other.name));
  if (blocks.length <= most) return blocks;
  const stride = Math.ceil(parts.length / most);
  return join((_one, _other, at) => at % stride !== 0);
}

export function cutGeometry(layers: readonly CutLayer[], frame: CutFrame): CutGeometry {
  const { width, height } = frame;
  const parts = mergeLayers(layers);
  const own = parts.reduce((sum, part) => sum + part.parameters, 0);
  const stockParameters = Math.max(frame.stock?.parameters ?? own, own);
  const length = stockParameters === 0 ? width : width * (own / stockParameters);
  const inner = height - 2;
  const middle = height / 2;

  const wanted = parts.map((part) => Math.max(leastWidth, own === 0 ? 1 : (part.parameters / own) * length));
  const scale = length / (wanted.reduce((sum, each) => sum + each, 0) || 1);
  let x = 0;
  const segments = parts.map((part, at): CutSegment => {
    const segmentWidth = (wanted[at] ?? 0) * scale;
    const high = Math.max(leastHeight, (inner * Math.min(part.bits, fullBits)) / fullBits);
    const segment: CutSegment = {
      names: part.names,
      x,
      width: segmentWidth,
      y: middle - high / 2,
      height: high,
      bits: part.bits,
      parameters: part.parameters,
      sparsity: part.sparsity ?? 0,
    };
    x += segmentWidth;
    return segment;
  });
  const stockHigh = (inner * Math.min(frame.stock?.bits ?? fullBits, fullBits)) / fullBits;
  return { segments, stock: { width, y: middle - stockHigh / 2, height: stockHigh }, middle };
}

/** The segment under a place on the drawing. */
export const segmentAt = (geometry: CutGeometry, x: number): CutSegment | null =>
  geometry.segments.find((segment) => x >= segment.x && x < segment.x + segment.width) ?? null;
