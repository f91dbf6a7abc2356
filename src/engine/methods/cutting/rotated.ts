// Writes a model whose residual streams are turned: every weight and constant beside them, with the gains of norms folded into the readers.
import { makeNode, readFloat, withInputs } from '../../graph/edit';
import { elementCount, type Node, type Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { bfloat16FromFloat32, encodeFloat16, readDoubles, readFloats } from '../../graph/tensor';
import { constantTensor, consumers, producers } from '../../graph/walk';
import { hasHadamard, makeRotation, type Rotation } from '../../kernels/reference/rotation';
import { mulberry32 } from '../../measure/quality';
import type { Subject } from '../method';
import { rightMatrix } from './matrix';
import type { Affine, Stream } from './residual';
import type { Rewrite } from './rewrite';
import { turnAlong } from './turned';
import type { Workshop } from './workshop';

/** What becomes of a constant, in this order: a layer's share of a norm's shift is added, it is turned. */
interface Change {
  shiftOf: LayerSite | null;
  turn: { readonly stream: Stream; readonly axis: number } | null;
}

export class Rotator {
  private readonly changes = new Map<Node, Map<number, Change>>();
  private readonly affines = new Set<Affine>();
  /** MatMuls behind a shift without a bias that could take it up. */
  private readonly bare = new Set<LayerSite>();
  private readonly inputs = new Map<Node, Map<number, string>>();
  /** What was written, by what it was made of → its name. */
  private readonly kept = new Map<string, string>();
  /** Layers whose weights stand under another name now. */
  private readonly renamed: [LayerSite, string][] = [];
  private readonly rotations = new Map<Stream, Rotation>();
  private readonly made: ReadonlyMap<string, Node>;
  private readonly users: ReadonlyMap<string, readonly Node[]>;
  private readonly spots: ReadonlyMap<Node, LayerSite>;

  constructor(
    private readonly subject: Subject,
    private readonly streams: readonly Stream[],
    private readonly seed: number,
    private readonly rewrite: Rewrite,
    private readonly workshop: Workshop,
  ) {
    const { graph } = subject.model;
    this.made = producers(graph);
    this.users = consumers(graph);
    this.spots = new Map(subject.sites.map((site) => [site.node, site]));
    for (const stream of streams) {
      for (const { node, input, axis } of stream.constants) this.changeOf(node, input).turn = { stream, axis };
      for (const [site, { affine }] of stream.readers) {
        if (!affine) continue;
        this.affines.add(affine);
        if (affine.shift || affine.batch) this.shift(site);
      }
    }
  }

  /** The layer's weights, turned; sentences about what else that means. */
  async put(site: LayerSite): Promise<string[]> {
    const turns = this.turnsOf(site);
    const others = this.subject.sites.filter((one) => one.weight === site.weight);
    const same = others.filter((one) => sameTurns(this.turnsOf(one), turns));
    const users = this.users.get(site.weight) ?? [];
    const isAlone = users.every((node) => same.some((one) => (one.via[0] ?? one.node) === node));
    const key = `${site.weight} ${same[0]!.name}`;
    const notes: string[] = [];
    let name = this.kept.get(key);
    if (name === undefined) {
      const { tensor } = site;
      name = isAlone ? site.weight : this.rewrite.name(`${site.weight}_rotated`);
      this.kept.set(key, name);
      const data = await this.workshop.make(bytesOf(tensor), async () => {
        const values = (await readFloats(tensor)).slice();
        for (const { stream, axis, affine } of turns) {
          const gain = affine && (await this.gainOf(affine));
          turnAlong(values, tensor.dims, axis, this.rotationOf(stream), gain);
        }
        return encoded(values, tensor.dtype);
      });
      this.rewrite.place(this.subject.model.graph, { name, dtype: tensor.dtype, dims: tensor.dims, data });
      if (!isAlone && same[0] !== others[0])
        notes.push(
          `Its weights were one with those of ${others[0]!.name}; the gain of its norm parts them: ${bytesOf(tensor)} bytes more.`,
        );
    }
    if (name !== site.weight) this.renamed.push([site, name]);
    if (this.bare.has(site)) notes.push('A bias stands behind it now: what the norm before it added.');
    const odd = turns.find(({ stream }) => !hasHadamard(stream.size));
    if (odd) notes.push(`No Hadamard matrix of ${odd.stream.size} is at hand; a random orthogonal one took its place.`);
    return notes;
  }

  /** True where what the layer's node itself gives is no longer what it was: turned, or without its share of a norm's shift. */
  moves(site: LayerSite): boolean {
    return this.turnsOf(site).some(({ stream, affine }) => stream.makers.has(site) || affine?.shift || affine?.batch);
  }

  /** Everything beside the layers, and the model's nodes; once, behind the last `put`. */
  async finish(): Promise<void> {
    for (const [node, changes] of this.changes)
      for (const [input, change] of changes) this.feed(node, input, await this.constant(node, input, change));
    for (const { gain, shift, batch } of this.affines) {
      if (gain) this.feed(gain.node, gain.input, await this.filled(gain.node.inputs[gain.input]!, 1));
      if (shift) this.feed(shift.node, shift.input, await this.filled(shift.node.inputs[shift.input]!, 0));
      if (batch)
        this.rewrite.replace(this.spotOf(batch), [
          makeNode('Identity', [batch.inputs[0]!], [batch.outputs[0]!], { name: batch.name }),
        ]);
    }
    for (const node of new Set([...this.inputs.keys(), ...[...this.bare].map((site) => site.node)])) {
      const spot = this.spotOf(node);
      const given = this.inputs.get(node) ?? new Map<number, string>();
      const length = Math.max(node.inputs.length, ...[...given.keys()].map((input) => input + 1));
      const inputs = Array.from({ length }, (_, i) => given.get(i) ?? node.inputs[i] ?? '');
      const next = { ...withInputs(node, inputs), name: spot.nodeName };
      const site = this.spots.get(node);
      this.rewrite.replace(spot, site && this.bare.has(site) ? await this.biased(site, next) : [next]);
    }
    for (const [site, name] of this.renamed) this.rewrite.feed(site, name);
  }

  private turnsOf(site: LayerSite): { stream: Stream; axis: number; affine: Affine | null }[] {
    return this.streams.flatMap((stream) => {
      const reader = stream.readers.get(site);
      const maker = stream.makers.get(site);
      return [
        ...(reader ? [{ stream, ...reader }] : []),
        ...(maker === undefined ? [] : [{ stream, axis: maker, affine: null }]),
      ];
    });
  }

  /** Notes where the layer's share of the norm's shift goes: its own bias, the sum behind it, or a bias that it gets. */
  private shift(site: LayerSite): void {
    const { node } = site;
    if (node.op !== 'MatMul') {
      this.changeOf(node, 2).shiftOf = site;
      return;
    }
    const output = node.outputs[0]!;
    const [sum, ...others] = this.users.get(output) ?? [];
    const input = sum?.inputs.findIndex((name) => name !== output) ?? -1;
    const bias = sum?.op === 'Add' && others.length === 0 && input >= 0 ? this.stored(sum.inputs[input]!) : null;
    const leaves = this.subject.model.graph.outputs.some(({ name }) => name === output);
    const rows = rightMatrix(site)!.rows;
    if (sum && !leaves && bias?.dims.at(-1) === rows && elementCount(bias.dims) === rows)
      this.changeOf(sum, input).shiftOf = site;
    else this.bare.add(site);
  }

  private async biased(site: LayerSite, node: Node): Promise<Node[]> {
    const output = node.outputs[0]!;
    const bias = await this.constant(node, -1, { shiftOf: site, turn: this.makerTurn(site) });
    const plain = this.rewrite.name(`${output}_unshifted`);
    return [{ ...node, outputs: [plain] }, makeNode('Add', [plain, bias], [output])];
  }

  private makerTurn(site: LayerSite): Change['turn'] {
    const stream = this.streams.find(({ makers }) => makers.has(site));
    return stream ? { stream, axis: 0 } : null;
  }

  /** The constant at an input of a node, changed; the name it is stored under. A layer without a bias gets one. */
  private async constant(node: Node, input: number, { shiftOf, turn }: Change): Promise<string> {
    const tensor = input < 0 ? null : this.stored(node.inputs[input] ?? '');
    const key = `${node.inputs[input]} ${shiftOf?.name} ${turn && this.streams.indexOf(turn.stream)} ${turn?.axis}`;
    const found = tensor && this.kept.get(key);
    if (found) return found;
    const dims = tensor?.dims ?? [rightMatrix(shiftOf!)!.rows];
    const dtype = tensor?.dtype ?? shiftOf!.tensor.dtype;
    const data = await this.workshop.make(bytesOf({ dims, dtype }), async () => {
      const values = tensor ? (await readFloats(tensor)).slice() : new Float32Array(elementCount(dims));
      if (shiftOf) {
        const share = await this.shareOf(shiftOf);
        const scale = node.op === 'Gemm' ? readFloat(node, 'alpha', 1) / readFloat(node, 'beta', 1) : 1;
        for (let n = 0; n < values.length; n++) values[n]! += share[n]! * scale;
      }
      if (turn) turnAlong(values, dims, turn.axis, this.rotationOf(turn.stream), null);
      return encoded(values, dtype);
    });
    const wanted = tensor ? `${node.inputs[input]}_rotated` : `${shiftOf!.weight}_bias`;
    const { name } = this.rewrite.store(this.subject.model.graph, wanted, dtype, dims, data);
    this.kept.set(key, name);
    return name;
  }

  /** Σ_k shift_k · w[n][k] of a layer. */
  private async shareOf(site: LayerSite): Promise<Float64Array> {
    const { affine } = this.turnsOf(site).find((turn) => turn.affine)!;
    const shift = await this.shiftOf(affine!);
    const { rows, columns, order } = rightMatrix(site)!;
    const [rowStep, columnStep] = order === 'rows' ? [columns, 1] : [1, rows];
    const weights = await readFloats(site.tensor);
    const share = new Float64Array(rows);
    for (let n = 0; n < rows; n++)
      for (let k = 0; k < columns; k++) share[n]! += weights[n * rowStep + k * columnStep]! * shift[k]!;
    return share;
  }

  /** γ, or γ/√(σ² + ε) */
  private async gainOf({ gain, batch }: Affine): Promise<Float64Array> {
    if (gain) return await readDoubles(this.stored(gain.node.inputs[gain.input]!)!);
    const [scale, variance] = await this.numbers(batch!, [1, 4]);
    const epsilon = readFloat(batch!, 'epsilon', 1e-5);
    return scale!.map((value, i) => value / Math.sqrt(variance![i]! + epsilon));
  }

  /** β, or β − μ·γ/√(σ² + ε) */
  private async shiftOf(affine: Affine): Promise<Float64Array> {
    const { shift, batch } = affine;
    if (shift) return await readDoubles(this.stored(shift.node.inputs[shift.input]!)!);
    const [bias, mean] = await this.numbers(batch!, [2, 3]);
    const gain = await this.gainOf(affine);
    return bias!.map((value, i) => value - mean![i]! * gain[i]!);
  }

  private numbers(node: Node, inputs: readonly number[]): Promise<Float64Array[]> {
    return Promise.all(inputs.map((input) => readDoubles(this.stored(node.inputs[input]!)!)));
  }

  /** A constant of the same shape with one number everywhere. */
  private async filled(like: string, value: number): Promise<string> {
    const { dims, dtype } = this.stored(like)!;
    const key = `${value} ${dtype} ${dims}`;
    const found = this.kept.get(key);
    if (found) return found;
    const data = await this.workshop.make(bytesOf({ dims, dtype }), async () =>
      encoded(new Float32Array(elementCount(dims)).fill(value), dtype),
    );
    const wanted = value === 1 ? 'gain_of_ones' : 'shift_of_zeros';
    const { name } = this.rewrite.store(this.subject.model.graph, wanted, dtype, dims, data);
    this.kept.set(key, name);
    return name;
  }

  private rotationOf(stream: Stream): Rotation {
    let found = this.rotations.get(stream);
    if (!found) {
      const random = mulberry32(this.seed + this.streams.indexOf(stream) * 7919);
      this.rotations.set(stream, (found = makeRotation(stream.size, random, stream.keepsOnes)));
    }
    return found;
  }

  private stored(name: string): Tensor | null {
    const node = this.made.get(name);
    return this.subject.model.graph.initializers.get(name) ?? (node ? constantTensor(node) : null);
  }

  private spotOf(node: Node) {
    return { graph: this.subject.model.graph, node, nodeName: this.spots.get(node)?.nodeName ?? node.name };
  }

  private changeOf(node: Node, input: number): Change {
    let ofNode = this.changes.get(node);
    if (!ofNode) this.changes.set(node, (ofNode = new Map()));
    let change = ofNode.get(input);
    if (!change) ofNode.set(input, (change = { shiftOf: null, turn: null }));
    return change;
  }

  private feed(node: Node, input: number, name: string): void {
    let ofNode = this.inputs.get(node);
    if (!ofNode) this.inputs.set(node, (ofNode = new Map()));
    ofNode.set(input, name);
  }
}

type Turns = ReturnType<Rotator['turnsOf']>;

function sameTurns(a: Turns, b: Turns): boolean {
  const isSame = (x: Turns[number], y: Turns[number]) =>
    x.stream === y.stream &&
    x.axis === y.axis &&
    x.affine?.gain?.node.inputs[x.affine.gain.input] === y.affine?.gain?.node.inputs[y.affine.gain.input] &&
    x.affine?.batch === y.affine?.batch;
  return a.length === b.length && a.every((turn, i) => isSame(turn, b[i]!));
}

const bytesOf = ({ dims, dtype }: Pick<Tensor, 'dims' | 'dtype'>): number =>
  elementCount(dims) * (dtype === 'float32' ? 4 : 2);

function encoded(values: Float32Array, dtype: Tensor['dtype']): Uint8Array {
  const stored =
    dtype === 'float32'
      ? values
      : dtype === 'float16'
        ? encodeFloat16(values)
        : Uint16Array.from(values, bfloat16FromFloat32);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
