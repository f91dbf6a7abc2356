// Fake quantization of weights: between a float weight and its layer it is rounded to its levels, in operators that gradients pass through.
//
//   w → Reshape (a scale for each row of groups) → Div s → Clip to the levels → Add, Sub (rounds) → Mul s → Reshape → the layer
//
// Gradients are those of learned step sizes (Esser et al., arXiv:1902.08153): to the weight straight through where it was not clipped; to the
// scale (round(w/s) − w/s) inside, the level at the end outside. Rounding by adding a large number and taking it away has the gradient 1.
import { makeNode } from '../../graph/edit';
import type { Model, Node } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { floatTensor, int64Tensor } from '../../graph/tensor';
import type { Parameter } from '../../train/optimizer';
import { farthestFactor, gridKey, type LearnedGrid, levelsOf, roundingShift } from './learned-grid';
import { groupsOf, type Order } from './order';
import { Rewrite } from './rewrite';

/** A scale of the training graph. */
export interface FakeScale {
  /** The value that holds it. */
  readonly name: string;
  readonly count: number;
  /** The parameter it is multiplied by; null where it stays. */
  readonly factor: Parameter | null;
}

export class FakeWeights {
  /** By `gridKey`. */
  readonly scales = new Map<string, FakeScale>();
  private readonly rounded = new Map<string, string>();
  private readonly rewrite: Rewrite;

  /** `learns`: scales are parameters too. */
  constructor(
    private readonly model: Model,
    private readonly learns: boolean,
  ) {
    this.rewrite = new Rewrite(model);
  }

  /** In the order of the graph: a weight is rounded once, in front of the first layer that uses it. */
  put(site: LayerSite, order: Order, grid: LearnedGrid): void {
    const key = gridKey(order);
    let value = this.rounded.get(key);
    if (value === undefined) {
      const nodes: Node[] = [];
      value = this.round(site, order, grid, nodes);
      this.rewrite.before(site, ...nodes);
      this.rounded.set(key, value);
    }
    this.rewrite.feed(site, value);
  }

  finish(): Model {
    return this.rewrite.finish();
  }

  private round(site: LayerSite, order: Order, grid: LearnedGrid, nodes: Node[]): string {
    const { rows, columns, groupSize } = order;
    const isByRows = order.order === 'rows';
    const groups = groupsOf(order);
    const length = groupSize === 0 ? columns : groupSize;
    const padding = groups * length - columns;
    const scaleDims = isByRows ? [rows, groups, 1] : [groups, 1, rows];
    const start = isByRows ? grid.scales : turned(grid.scales, rows, groups);
    const scale = this.scale(site, gridKey(order), scaleDims, start, nodes);
    const emit = (op: string, inputs: readonly string[]): string => {
      const output = this.rewrite.name(`${site.weight}_${op.toLowerCase()}`);
      nodes.push(makeNode(op, inputs, [output]));
      return output;
    };
    const ints = (values: readonly number[]): string => this.ints(site, values);
    const number = (value: number): string => this.floats(site, 'number', [], [value]);
    const whole = isByRows ? [rows, groups * length] : [groups * length, rows];
    let at = site.weight;
    if (padding > 0) {
      const flat = emit('Reshape', [at, ints(isByRows ? [rows, columns] : [columns, rows])]);
      at = emit('Pad', [flat, ints(isByRows ? [0, 0, 0, padding] : [0, 0, padding, 0])]);
    }
    at = emit('Reshape', [at, ints(isByRows ? [rows, groups, length] : [groups, length, rows])]);
    const [low, high] = levelsOf(order, grid.bits);
    at = emit('Clip', [emit('Div', [at, scale]), number(low), number(high)]);
    at = emit('Sub', [emit('Add', [at, number(roundingShift)]), number(roundingShift)]);
    at = emit('Mul', [at, scale]);
    if (padding > 0) {
      const axis = isByRows ? 1 : 0;
      at = emit('Slice', [emit('Reshape', [at, ints(whole)]), ints([0]), ints([columns]), ints([axis])]);
    }
    return emit('Reshape', [at, ints(site.tensor.dims)]);
  }

  private scale(site: LayerSite, key: string, dims: readonly number[], start: Float32Array, nodes: Node[]): string {
    const stays = this.floats(site, 'scale', dims, start);
    if (!this.learns) {
      this.scales.set(key, { name: stays, count: start.length, factor: null });
      return stays;
    }
    const { nodes: made, ...scale } = learnedFactor(
      stays,
      dims,
      (suffix, shape, values) => this.floats(site, suffix, shape, values),
      (suffix) => this.rewrite.name(`${site.weight}_${suffix}`),
    );
    nodes.push(...made);
    this.scales.set(key, scale);
    return scale.name;
  }

  private floats(site: LayerSite, suffix: string, dims: readonly number[], values: Float32Array | number[]): string {
    const tensor = floatTensor(this.rewrite.name(`${site.weight}_${suffix}`), dims, values);
    this.rewrite.place(this.model.graph, tensor);
    return tensor.name;
  }

  private ints(site: LayerSite, values: readonly number[]): string {
    const tensor = int64Tensor(this.rewrite.name(`${site.weight}_sizes`), [values.length], values);
    this.rewrite.place(this.model.graph, tensor);
    return tensor.name;
  }
}

/** start · factor, the factor a parameter that begins at 1 and is held to a range: the same steps are fine for large and small scales. */
export function learnedFactor(
  start: string,
  dims: readonly number[],
  store: (suffix: string, dims: readonly number[], values: Float32Array | number[]) => string,
  name: (suffix: string) => string,
): FakeScale & { readonly nodes: readonly Node[] } {
  const count = dims.reduce((a, b) => a * b, 1);
  const factor = store('factor', dims, new Float32Array(count).fill(1));
  const [held, scale] = [name('factor_held'), name('scale_learned')];
  const ends = [store('least', [], [1 / farthestFactor]), store('most', [], [farthestFactor])];
  return {
    name: scale,
    count,
    factor: { name: factor, dims, count, decays: false },
    nodes: [makeNode('Clip', [factor, ...ends], [held]), makeNode('Mul', [start, held], [scale])],
  };
}

/** [rows][columns] → [columns][rows] */
export function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
  return out;
}
