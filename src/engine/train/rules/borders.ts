// Gradients of Slice and Pad: what was cut off gets zeros, what was put on is cut off or folded back in.
import { readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { add, axesFrom, constantInput, filled, reshape, sub, sum } from '../emit';
import type { Rule, Tape } from '../tape';
import { slice as cut, pad } from './slices';

/** Elements `start … end` of one axis. */
const slice = (tape: Tape, x: string, axis: number, start: number, end: number): string =>
  cut(tape, x, [{ axis, start, end }]);

/** x with one axis backwards. */
const reversed = (tape: Tape, x: string, axis: number): string =>
  // To before the first element.
  cut(tape, x, [{ axis, start: -1, end: -1 - tape.known(x).dims[axis]!, step: -1 }]);

/** Zeros at one axis around x, so that it is `size` long and x starts at `start`. */
function placed(tape: Tape, x: string, axis: number, start: number, size: number): string {
  const { dims } = tape.known(x);
  const at = (count: number): number[] => dims.map((_, i) => (i === axis ? count : 0));
  return pad(tape, x, at(start), at(size - start - dims[axis]!));
}

/** y = x[start : end : step] on some axes: g goes back where it came from. */
export const sliceBack: Rule = (tape, node, [g]) => {
  const x = node.inputs[0]!;
  const others = node.inputs.slice(1).map(() => null);
  const cuts = cutsOf(tape, node);
  if (!cuts) return [scattered(tape, node, g!), ...others];
  let gradient = g!;
  for (const { axis, first, step } of cuts) {
    const size = tape.known(x).dims[axis]!;
    const count = tape.known(gradient).dims[axis]!;
    if (count === 0) return [filled(tape, 0, tape.known(x).dtype, tape.known(x).dims), ...others];
    // Backwards, the last one taken comes first.
    const start = step < 0 ? first + (count - 1) * step : first;
    const forward = step < 0 && count > 1 ? reversed(tape, gradient, axis) : gradient;
    gradient = placed(tape, stretched(tape, forward, axis, Math.abs(step)), axis, start, size);
  }
  return [gradient, ...others];
};

interface Cut {
  readonly axis: number;
  /** Index of the first element taken. */
  readonly first: number;
  readonly step: number;
}

/** What a Slice takes, from its constant inputs; null where they are computed from the data. */
function cutsOf(tape: Tape, node: Node): Cut[] | null {
  const [x, startsName, , axesName, stepsName] = node.inputs;
  const { dims } = tape.known(x!);
  const starts = tape.constant(startsName);
  const axes = axesName ? tape.constant(axesName) : (starts?.map((_, i) => i) ?? null);
  const steps = stepsName ? tape.constant(stepsName) : (starts?.map(() => 1) ?? null);
  if (!starts || !axes || !steps) return null;
  return axesFrom(axes, dims.length).map((axis, i) => {
    const [size, step] = [dims[axis]!, steps[i]!];
    const start = starts[i]! < 0 ? starts[i]! + size : starts[i]!;
    const first = step > 0 ? Math.min(Math.max(start, 0), size) : Math.min(Math.max(start, -1), size - 1);
    return { axis, first, step };
  });
}

/** step − 1 zeros after each element of an axis, but for the last. */
function stretched(tape: Tape, x: string, axis: number, step: number): string {
  const { dims } = tape.known(x);
  const count = dims[axis]!;
  if (step === 1 || count === 1) return x;
  const apart = reshape(tape, x, [...dims.slice(0, axis + 1), 1, ...dims.slice(axis + 1)]);
  const wide = placed(tape, apart, axis + 1, 0, step);
  const together = reshape(tape, wide, [...dims.slice(0, axis), count * step, ...dims.slice(axis + 1)]);
  return slice(tape, together, axis, 0, (count - 1) * step + 1);
}

/** The same for cuts that only the run knows: the positions of x go through the same Slice, and say where g belongs. */
function scattered(tape: Tape, node: Node, g: string): string {
  const x = tape.known(node.inputs[0]!);
  const count = elementCount(x.dims);
  const { dims } = tape.known(g);
  const all = tape.emit('Range', [tape.scalar(0, 'int64'), tape.scalar(count, 'int64'), tape.scalar(1, 'int64')], {
    dtype: 'int64',
    dims: [count],
  });
  const places = tape.emit('Slice', [reshape(tape, all, x.dims), ...node.inputs.slice(1)], { dtype: 'int64', dims });
  const flat = [elementCount(dims)];
  const zeros = filled(tape, 0, x.dtype, [count]);
  const inputs = [zeros, reshape(tape, places, flat), reshape(tape, g, flat)];
  return reshape(tape, tape.emit('ScatterElements', inputs, { dtype: x.dtype, dims: [count] }, { axis: 0 }), x.dims);
}

/** y = x with a border: a constant one is cut off g; one made of x itself is folded back on the elements it repeats. */
export const padBack: Rule = (tape, node, [g]) => {
  const [x, , value, axesName] = node.inputs;
  const { dims } = tape.known(x!);
  const pads = constantInput(tape, node, 1, 'pads');
  const axes = axesFrom(axesName ? constantInput(tape, node, 3, 'axes') : dims.map((_, i) => i), dims.length);
  const mode = readString(node, 'mode', 'constant');
  let gradient = g!;
  for (const [i, axis] of axes.entries()) {
    const border = { axis, before: pads[i]!, after: pads[axes.length + i]!, size: dims[axis]! };
    if (border.before !== 0 || border.after !== 0) gradient = folded(tape, gradient, mode, border);
  }
  const wantsValue = value !== undefined && tape.wants(value);
  return node.inputs.map((_, i) =>
    i === 0 ? gradient : i === 2 && wantsValue ? outside(tape, g!, gradient, value) : null,
  );
};

/** Σ of what was cut off. */
function outside(tape: Tape, g: string, kept: string, value: string): string {
  const whole = (x: string): string =>
    sum(
      tape,
      x,
      tape.known(x).dims.map((_, i) => i),
      false,
    );
  return reshape(tape, sub(tape, whole(g), whole(kept)), tape.known(value).dims);
}

interface Border {
  readonly axis: number;
  readonly before: number;
  readonly after: number;
  /** Of x along this axis. */
  readonly size: number;
}

/** One axis of g back to x's size. */
function folded(tape: Tape, g: string, mode: string, { axis, before, after, size }: Border): string {
  // Negative pads cut x: the gradient gets zeros there.
  const kept = slice(
    tape,
    g,
    axis,
    Math.max(0, before),
    Math.max(0, before) + size + Math.min(0, before) + Math.min(0, after),
  );
  const core = placed(tape, kept, axis, Math.max(0, -before), size);
  if (mode === 'constant') return core;
  const start = before > 0 ? slice(tape, g, axis, 0, before) : null;
  const end = after > 0 ? slice(tape, g, axis, before + size, before + size + after) : null;
  const back = (border: string | null, at: number): string[] => (border ? [placed(tape, border, axis, at, size)] : []);
  const flipped = (border: string | null): string | null => border && reversed(tape, border, axis);
  const total = (border: string | null): string | null => border && sum(tape, border, [axis]);
  const borders = {
    // before: y[i] = x[before − i], after: y[before + size + j] = x[size − 2 − j]
    reflect: () => [...back(flipped(start), 1), ...back(flipped(end), size - 1 - after)],
    edge: () => [...back(total(start), 0), ...back(total(end), size - 1)],
    wrap: () => [...back(start, size - before), ...back(end, 0)],
  }[mode];
  if (!borders) throw new Error(`Pad has no mode ${mode}`);
  return borders().reduce((together, border) => add(tape, together, border), core);
}
