// What layers see of their inputs, layer by layer: the sums that GPTQ rounds and SparseGPT and Wanda prune by, each gathered behind the
// layers that were cut before it.
import { refuse } from '../../../contract/words/refusal';
import { readInt, readIntList, readString } from '../../graph/edit';
import { elementCount, type Model } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { producers } from '../../graph/walk';
import type { Hessian } from '../../kernels/kernels';
import type { Feed } from '../../runtime/session';
import type { Subject, Target } from '../method';
import { floatsOf } from './floats';
import { Flow, mostTokensOf } from './flow';
import type { Gathering } from './gathering';
import { patchesOf } from './patches';

/** Inputs that are handed to the kernels together: 16 MB of them. */
export const inputsTogether = 2 ** 22;

/** True where the values a layer takes in can be asked for: in the model's own graph, a product's in rows of K. */
export function isInView({ graph }: Model, { scope, node }: LayerSite): boolean {
  const input = node.inputs[0] ?? '';
  if (scope.length > 0 || readInt(node, 'transA', 0) === 1) return false;
  return producers(graph).has(input) || graph.inputs.some(({ name }) => name === input);
}

/** For the layers of a step that need them, in the order in which they will be asked for. Null where nothing is computed. */
export function hessiansFor(
  subject: Subject,
  targets: readonly Target[],
  gathering: Gathering | null,
  who = 'gptq',
): Hessians | null {
  if (!gathering || targets.length === 0) return null;
  if (!gathering.calibration) refuse('bad-dataset', `${who} needs calibration samples: choose a dataset.`);
  return new Hessians(subject, targets, gathering);
}

/** Layers are asked for one kind of sum. */
type Sum =
  | { readonly kind: 'products'; readonly sum: Hessian }
  | { readonly kind: 'squares'; readonly sum: Float64Array };

export class Hessians implements AsyncDisposable {
  private flow: Flow | null = null;
  /** Targets whose inputs were computed. */
  private passed = 0;
  private last: { readonly key: string; readonly sum: Sum } | null = null;

  constructor(
    private readonly subject: Subject,
    private readonly targets: readonly Target[],
    private readonly gathering: Gathering,
  ) {}

  /**
   * Σ x·xᵀ over the inputs of a layer, in the model as it is now. Layers that share an input share the sum. Layers are asked for in their order;
   * those that were not, because their weights are cut already, are passed one by one.
   */
  async of(site: LayerSite, now: () => Model): Promise<Hessian> {
    const made = await this.summed(site, now, 'products');
    if (made.kind !== 'products') throw new Error(`${site.name} was asked for another sum`);
    return made.sum;
  }

  /** The diagonal alone, Σx² of each column; as `of` in everything else. */
  async squaresOf(site: LayerSite, now: () => Model): Promise<Float64Array> {
    const made = await this.summed(site, now, 'squares');
    if (made.kind !== 'squares') throw new Error(`${site.name} was asked for another sum`);
    return made.sum;
  }

  private async summed(site: LayerSite, now: () => Model, kind: Sum['kind']): Promise<Sum> {
    const at = this.targets.findIndex((target) => target.site === site);
    if (at < this.passed) throw new Error(`${site.name} is asked for out of order`);
    const inputs = this.targets.map((target) => target.site.node.inputs[0]!);
    const input = inputs[at]!;
    const first = this.passed;
    this.passed = at + 1;
    const key = keyOf(site);
    if (this.last?.key === key) return this.last.sum;
    this.last = null;
    const { gathering } = this;
    const flow = (this.flow ??= await Flow.open(gathering, this.limit()));
    for (const [i, before] of inputs.slice(first, at).entries())
      if (before !== input) await flow.visit(now(), before, inputs.slice(first + i + 1), () => {});
    const columns = elementCount(site.tensor.dims) / site.tensor.dims[site.channelAxis ?? 0]!;
    const sum: Sum =
      kind === 'products'
        ? { kind, sum: { columns, data: new Float64Array(columns * columns) } }
        : { kind, sum: new Float64Array(columns) };
    const rows = new Rows(sum, columns, gathering);
    await flow.visit(now(), input, inputs.slice(at + 1), async (feed) => {
      await rows.add(feed, site);
      const text = `Inputs of ${site.name}, layer ${at + 1} of ${this.targets.length}`;
      gathering.tell(text, at + 1, this.targets.length);
    });
    await rows.flush();
    this.last = { key, sum };
    return sum;
  }

  private limit() {
    const samples = Math.max(...this.targets.map(({ params }) => Number(params.samples)));
    const tokens = mostTokensOf(this.subject.sites);
    return { samples, ...(tokens === null ? {} : { tokens }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flow?.close();
  }
}

/** Layers of one key see the same rows. */
function keyOf({ op, node, tensor }: LayerSite): string {
  if (op !== 'Conv') return node.inputs[0]!;
  const windows = ['strides', 'dilations', 'pads'].map((name) => readIntList(node, name));
  return JSON.stringify([node.inputs[0], tensor.dims.slice(1), readString(node, 'auto_pad', ''), windows]);
}

/** Rows of many samples on their way into a sum, a few megabytes at a time. */
class Rows {
  private parts: Float32Array[] = [];
  private held = 0;

  constructor(
    private readonly into: Sum,
    private readonly columns: number,
    private readonly gathering: Gathering,
  ) {}

  async add(feed: Feed, site: LayerSite): Promise<void> {
    const values = floatsOf(feed);
    const isConv = site.op === 'Conv';
    const width = isConv ? feed.dims[1]! * elementCount(site.tensor.dims.slice(2)) : feed.dims.at(-1);
    if (!values || width !== this.columns) {
      const rows = `${feed.dims.join('×')} of ${feed.dtype}`;
      throw new Error(`${site.name} takes in ${rows}, not rows of ${this.columns}`);
    }
    const rows = isConv ? patchesOf(site, feed.dims, values) : values;
    if (this.into.kind === 'squares') {
      addSquares(this.into.sum, rows);
      return;
    }
    this.parts.push(rows);
    this.held += rows.length;
    if (this.held >= inputsTogether) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.held === 0 || this.into.kind !== 'products') return;
    const { kernels, signal } = this.gathering;
    let all = this.parts[0]!;
    if (this.parts.length > 1) {
      all = new Float32Array(this.held);
      let at = 0;
      for (const part of this.parts) {
        all.set(part, at);
        at += part.length;
      }
    }
    this.parts = [];
    this.held = 0;
    await kernels.addInputs(this.into.sum, all, { signal });
  }
}

function addSquares(into: Float64Array, rows: Float32Array): void {
  for (let at = 0; at < rows.length; at += into.length) {
    for (let k = 0; k < into.length; k++) into[k]! += rows[at + k]! ** 2;
  }
}
