// Convolutions, pools, normalisations and recurrent networks in plain float64, as ONNX defines them: what finite differences are taken of.
import { readFloat, readInt, readIntList, readString } from '../../src/engine/graph/edit';
import type { Node } from '../../src/engine/graph/graph';

export interface Array64 {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Every index of a box, the last axis fastest. */
function* indices(dims: readonly number[]): Iterable<number[]> {
  const total = count(dims);
  for (let flat = 0; flat < total; flat++) {
    let rest = flat;
    yield dims
      .toReversed()
      .map((dim) => {
        const at = rest % dim;
        rest = Math.floor(rest / dim);
        return at;
      })
      .toReversed();
  }
}

const flatten = (index: readonly number[], dims: readonly number[]): number =>
  index.reduce((at, one, i) => at * dims[i]! + one, 0);

interface Geometry {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly output: readonly number[];
}

function geometryOf(node: Node, input: readonly number[], kernel: readonly number[]): Geometry {
  const strides = readIntList(node, 'strides') ?? kernel.map(() => 1);
  const dilations = readIntList(node, 'dilations') ?? kernel.map(() => 1);
  const mode = readString(node, 'auto_pad', 'NOTSET');
  const pads = (mode === 'NOTSET' && readIntList(node, 'pads')) || kernel.flatMap(() => [0, 0]);
  const reach = kernel.map((size, i) => dilations[i]! * (size - 1) + 1);
  if (mode.startsWith('SAME')) {
    const output = input.map((size, i) => Math.ceil(size / strides[i]!));
    const before = input.map((size, i) => {
      const total = Math.max(0, (output[i]! - 1) * strides[i]! + reach[i]! - size);
      return mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
    });
    return { strides, dilations, before, output };
  }
  const before = pads.slice(0, kernel.length);
  const after = pads.slice(kernel.length);
  const isCeil = readInt(node, 'ceil_mode', 0) === 1;
  const output = input.map((size, i) => {
    const steps = (size + before[i]! + after[i]! - reach[i]!) / strides[i]!;
    const whole = Math.floor(steps) + 1;
    // Rounding up never adds a window that would begin behind the input.
    return isCeil && Math.ceil(steps) + 1 > whole && whole * strides[i]! < size + before[i]! ? whole + 1 : whole;
  });
  return { strides, dilations, before, output };
}

type Forward = (node: Node, inputs: readonly (Array64 | undefined)[]) => readonly Array64[];

const array = (dims: readonly number[]): Array64 => ({ dims, data: new Float64Array(count(dims)) });

const conv: Forward = (node, [x, w, b]) => {
  const [batch, , ...input] = x!.dims as [number, number, ...number[]];
  const [outs, ins, ...kernel] = w!.dims as [number, number, ...number[]];
  const { strides, dilations, before, output } = geometryOf(node, input, kernel);
  const perGroup = outs / readInt(node, 'group', 1);
  const y = array([batch, outs, ...output]);
  for (const index of indices(y.dims)) {
    const [n, m, ...at] = index as [number, number, ...number[]];
    let sum = b ? b.data[m]! : 0;
    for (const [c, ...tap] of indices([ins, ...kernel]) as Iterable<[number, ...number[]]>) {
      const from = at.map((place, i) => place * strides[i]! - before[i]! + tap[i]! * dilations[i]!);
      if (from.some((place, i) => place < 0 || place >= input[i]!)) continue;
      const channel = Math.floor(m / perGroup) * ins + c;
      sum += x!.data[flatten([n, channel, ...from], x!.dims)]! * w!.data[flatten([m, c, ...tap], w!.dims)]!;
    }
    y.data[flatten(index, y.dims)] = sum;
  }
  return [y];
};

const convTranspose: Forward = (node, [x, w, b]) => {
  const [batch, ins, ...input] = x!.dims as [number, number, ...number[]];
  const [, perGroup, ...kernel] = w!.dims as [number, number, ...number[]];
  const groups = readInt(node, 'group', 1);
  const [strides, dilations] = [readIntList(node, 'strides')!, readIntList(node, 'dilations')!];
  const [pads, extra] = [readIntList(node, 'pads')!, readIntList(node, 'output_padding')!];
  const output = input.map(
    (size, i) =>
      (size - 1) * strides[i]! + dilations[i]! * (kernel[i]! - 1) + 1 + extra[i]! - pads[i]! - pads[i + kernel.length]!,
  );
  const y = array([batch, perGroup * groups, ...output]);
  for (const index of indices(y.dims)) y.data[flatten(index, y.dims)] = b ? b.data[index[1]!]! : 0;
  for (const index of indices(x!.dims)) {
    const [n, c, ...at] = index as [number, number, ...number[]];
    for (const [m, ...tap] of indices([perGroup, ...kernel]) as Iterable<[number, ...number[]]>) {
      const to = at.map((place, i) => place * strides[i]! - pads[i]! + tap[i]! * dilations[i]!);
      if (to.some((place, i) => place < 0 || place >= output[i]!)) continue;
      const channel = Math.floor(c / (ins / groups)) * perGroup + m;
      y.data[flatten([n, channel, ...to], y.dims)]! +=
        x!.data[flatten(index, x!.dims)]! * w!.data[flatten([c, m, ...tap], w!.dims)]!;
    }
  }
  return [y];
};

/** `join` gets the elements a window sees, and how many places of it lie on the input and its pads. */
const pool =
  (join: (seen: readonly number[], node: Node, places: number) => number): Forward =>
  (node, [x]) => {
    const [batch, channels, ...input] = x!.dims as [number, number, ...number[]];
    const kernel = readIntList(node, 'kernel_shape')!;
    const { strides, dilations, before, output } = geometryOf(node, input, kernel);
    const after = readIntList(node, 'pads')?.slice(kernel.length) ?? kernel.map(() => 0);
    const y = array([batch, channels, ...output]);
    for (const index of indices(y.dims)) {
      const [n, c, ...at] = index as [number, number, ...number[]];
      const seen: number[] = [];
      let places = 0;
      for (const tap of indices(kernel)) {
        const from = at.map((place, i) => place * strides[i]! - before[i]! + tap[i]! * dilations[i]!);
        if (from.every((place, i) => place < input[i]! + after[i]!)) places++;
        if (from.every((place, i) => place >= 0 && place < input[i]!))
          seen.push(x!.data[flatten([n, c, ...from], x!.dims)]!);
      }
      y.data[flatten(index, y.dims)] = join(seen, node, places);
    }
    return [y];
  };

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const average = (values: readonly number[]): number => total(values) / values.length;

/** Each channel of each sample to one number. */
const globally =
  (join: (seen: readonly number[]) => number): Forward =>
  (_, [x]) => {
    const [batch, channels, ...input] = x!.dims as [number, number, ...number[]];
    const size = count(input);
    const y = array([batch, channels, ...input.map(() => 1)]);
    for (let i = 0; i < y.data.length; i++) y.data[i] = join([...x!.data.subarray(i * size, (i + 1) * size)]);
    return [y];
  };

interface Normal {
  /** Which elements are normalised together, and which gain and shift each has. */
  readonly group: (flat: number) => number;
  readonly gain: (flat: number) => number;
  readonly isCentred?: boolean;
}

function normalised(
  x: Array64,
  [gain, shift]: readonly (Array64 | undefined)[],
  epsilon: number,
  how: Normal,
): Array64 {
  const groups = Map.groupBy(x.data.keys(), how.group);
  const y = array(x.dims);
  for (const members of groups.values()) {
    const values = members.map((at) => x.data[at]!);
    const mean = how.isCentred === false ? 0 : average(values);
    const deviation = Math.sqrt(average(values.map((value) => (value - mean) ** 2)) + epsilon);
    for (const [i, at] of members.entries()) {
      const own = how.gain(at);
      y.data[at] = ((values[i]! - mean) / deviation) * (gain ? gain.data[own]! : 1) + (shift ? shift.data[own]! : 0);
    }
  }
  return y;
}

const lastAxes = (x: Array64, node: Node): number => count(x.dims.slice(readInt(node, 'axis', -1)));
const channelOf = (x: Array64) => (at: number) => Math.floor(at / count(x.dims.slice(2))) % x.dims[1]!;
const planeOf = (x: Array64) => (at: number) => Math.floor(at / count(x.dims.slice(2)));

const overLast =
  (isCentred: boolean): Forward =>
  (node, [x, gain, shift]) => {
    const size = lastAxes(x!, node);
    const how = { group: (at: number) => Math.floor(at / size), gain: (at: number) => at % size, isCentred };
    return [normalised(x!, [gain, shift], readFloat(node, 'epsilon', 1e-5), how)];
  };

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** x [T, B, I]; one direction's gates at one step, from x's and h's products with their weights. */
const recurrent: Forward = (node, [x, w, r, b, , h0, c0]) => {
  const [steps, batch, size] = x!.dims as [number, number, number];
  const [directions, width, hidden] = r!.dims as [number, number, number];
  const gates = width / hidden;
  const outputs = [array([steps, directions, batch, hidden]), array([directions, batch, hidden])];
  if (node.op === 'LSTM') outputs.push(array([directions, batch, hidden]));
  const isFlipped = (d: number): boolean => readString(node, 'direction', 'forward') === 'reverse' || d === 1;
  for (let d = 0; d < directions; d++) {
    for (let n = 0; n < batch; n++) {
      const at = (d * batch + n) * hidden;
      let h = Float64Array.from({ length: hidden }, (_, i) => h0?.data[at + i] ?? 0);
      const c = Float64Array.from({ length: hidden }, (_, i) => c0?.data[at + i] ?? 0);
      const bias = (i: number): number => b?.data[d * 2 * width + i] ?? 0;
      for (let step = 0; step < steps; step++) {
        const t = isFlipped(d) ? steps - 1 - step : step;
        const fromX = (row: number): number => {
          let sum = bias(row);
          for (let i = 0; i < size; i++)
            sum += w!.data[(d * width + row) * size + i]! * x!.data[(t * batch + n) * size + i]!;
          return sum;
        };
        const fromH = (row: number, state: Float64Array): number => {
          let sum = bias(width + row);
          for (let i = 0; i < hidden; i++) sum += r!.data[(d * width + row) * hidden + i]! * state[i]!;
          return sum;
        };
        const before = h;
        const gate = (g: number, i: number): number => fromX(g * hidden + i) + fromH(g * hidden + i, before);
        if (gates === 1) h = before.map((_, i) => Math.tanh(gate(0, i)));
        if (gates === 3) {
          const reset = before.map((_, i) => sigmoid(gate(1, i)));
          const held = before.map((value, i) => value * reset[i]!);
          const isBefore = readInt(node, 'linear_before_reset', 0) === 1;
          h = before.map((value, i) => {
            const row = 2 * hidden + i;
            const fresh = Math.tanh(fromX(row) + (isBefore ? reset[i]! * fromH(row, before) : fromH(row, held)));
            const z = sigmoid(gate(0, i));
            return (1 - z) * fresh + z * value;
          });
        }
        if (gates === 4) {
          const all = before.map((_, i) => {
            c[i] = sigmoid(gate(2, i)) * c[i]! + sigmoid(gate(0, i)) * Math.tanh(gate(3, i));
            return sigmoid(gate(1, i)) * Math.tanh(c[i]!);
          });
          h = all;
        }
        outputs[0]!.data.set(h, ((t * directions + d) * batch + n) * hidden);
      }
      outputs[1]!.data.set(h, at);
      outputs[2]?.data.set(c, at);
    }
  }
  return outputs;
};

export const forwards: Readonly<Record<string, Forward>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool((seen) => Math.max(...seen)),
  AveragePool: pool((seen, node, places) =>
    readInt(node, 'count_include_pad', 0) === 1 ? total(seen) / places : average(seen),
  ),
  LpPool: pool((seen, node) => {
    const p = readInt(node, 'p', 2);
    return total(seen.map((value) => Math.abs(value) ** p)) ** (1 / p);
  }),
  GlobalAveragePool: globally(average),
  GlobalMaxPool: globally((seen) => Math.max(...seen)),
  GlobalLpPool: globally((seen) => Math.sqrt(total(seen.map((value) => value ** 2)))),
  LayerNormalization: overLast(true),
  RMSNormalization: overLast(false),
  SimplifiedLayerNormalization: overLast(false),
  InstanceNormalization: (node, [x, gain, shift]) => [
    normalised(x!, [gain, shift], readFloat(node, 'epsilon', 1e-5), { group: planeOf(x!), gain: channelOf(x!) }),
  ],
  GroupNormalization: (node, [x, gain, shift]) => {
    const size = count(x!.dims.slice(1)) / readInt(node, 'num_groups', 1);
    const how = { group: (at: number) => Math.floor(at / size), gain: channelOf(x!) };
    return [normalised(x!, [gain, shift], readFloat(node, 'epsilon', 1e-5), how)];
  },
  BatchNormalization: (node, [x, gain, shift, mean, variance]) => {
    const channel = channelOf(x!);
    const epsilon = readFloat(node, 'epsilon', 1e-5);
    if (!mean) return [normalised(x!, [gain, shift], epsilon, { group: channel, gain: channel })];
    const y = array(x!.dims);
    for (const [at, value] of x!.data.entries()) {
      const c = channel(at);
      const deviation = Math.sqrt(variance!.data[c]! + epsilon);
      y.data[at] = ((value - mean.data[c]!) / deviation) * gain!.data[c]! + shift!.data[c]!;
    }
    return [y];
  },
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};
