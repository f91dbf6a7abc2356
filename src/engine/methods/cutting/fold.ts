// Folds a BatchNormalization into the convolution before it: W′ = W·γ/√(σ² + ε), b′ = (b − μ)·γ/√(σ² + ε) + β. The function stays the same.
import { readFloat, readInt, withInputs } from '../../graph/edit';
import { elementCount, type Graph, type Node, type Tensor } from '../../graph/graph';
import { type LayerSite, listLayers } from '../../graph/layers';
import { inferShapes } from '../../graph/shapes';
import { readFloats } from '../../graph/tensor';
import { constantTensor, consumers, producers } from '../../graph/walk';
import type { Subject } from '../method';
import { Rewrite } from './rewrite';
import type { Workshop } from './workshop';

interface Fold {
  readonly site: LayerSite;
  readonly norm: Node;
  readonly bias: Tensor | null;
  /** γ, β, μ, σ². */
  readonly statistics: readonly [Tensor, Tensor, Tensor, Tensor];
}

/** The subject with every such pair of the chosen layers joined; the same subject where there is none. */
export async function foldBatchNorms(
  subject: Subject,
  chosen: ReadonlySet<string>,
  workshop: Workshop,
): Promise<{ subject: Subject; folded: ReadonlySet<string> }> {
  const { graph } = subject.model;
  const users = consumers(graph);
  const made = producers(graph);
  const folds = subject.sites.flatMap((site) => {
    const fold = chosen.has(site.name) ? foldOf(graph, users, made, site) : null;
    return fold ? [fold] : [];
  });
  if (folds.length === 0) return { subject, folded: new Set() };
  const rewrite = new Rewrite(subject.model);
  for (const fold of folds) {
    const { site, norm } = fold;
    const channels = site.tensor.dims[0]!;
    const weight = rewrite.store(
      graph,
      `${site.weight}_folded`,
      'float32',
      site.tensor.dims,
      await workshop.make(4 * elementCount(site.tensor.dims), async () => bytesOf(await foldedWeights(fold))),
    );
    const bias = rewrite.store(
      graph,
      `${site.weight}_folded_bias`,
      'float32',
      [channels],
      await workshop.make(4 * channels, async () => bytesOf(await foldedBias(fold))),
    );
    const inputs = [site.node.inputs[0]!, weight.name, bias.name];
    rewrite.replace(site, [{ ...withInputs(site.node, inputs), name: site.nodeName, outputs: [norm.outputs[0]!] }]);
    rewrite.replace({ graph, node: norm, nodeName: norm.name }, []);
  }
  const model = rewrite.finish();
  const shapes = await inferShapes(model);
  return {
    subject: { model, shapes, sites: listLayers(model, shapes) },
    folded: new Set(folds.map(({ site }) => site.name)),
  };
}

function foldOf(
  graph: Graph,
  users: ReadonlyMap<string, readonly Node[]>,
  made: ReadonlyMap<string, Node>,
  site: LayerSite,
): Fold | null {
  const { node } = site;
  if (node.op !== 'Conv' || site.graph !== graph || site.via.length > 0 || site.tensor.dtype !== 'float32') return null;
  const output = node.outputs[0]!;
  const [norm, ...others] = users.get(output) ?? [];
  if (norm?.op !== 'BatchNormalization' || norm.domain !== '' || others.length > 0) return null;
  if (graph.outputs.some(({ name }) => name === output) || norm.inputs[0] !== output) return null;
  if (norm.outputs.filter((name) => name !== '').length > 1 || readInt(norm, 'training_mode', 0) !== 0) return null;
  const constant = (name: string | undefined): Tensor | null => {
    const tensor =
      graph.initializers.get(name ?? '') ?? (made.has(name ?? '') ? constantTensor(made.get(name!)!) : null);
    return tensor?.dtype === 'float32' ? tensor : null;
  };
  const statistics = norm.inputs.slice(1, 5).map(constant);
  if (statistics.length < 4 || statistics.some((one) => one?.dims[0] !== site.tensor.dims[0])) return null;
  const bias = constant(node.inputs[2]);
  if (node.inputs[2] && !bias) return null;
  return { site, norm, bias, statistics: statistics as unknown as Fold['statistics'] };
}

async function factors({ norm, statistics }: Fold): Promise<Float64Array> {
  const [gamma, , , variance] = statistics;
  const epsilon = readFloat(norm, 'epsilon', 1e-5);
  const [scale, spread] = [await readFloats(gamma), await readFloats(variance)];
  return Float64Array.from(scale, (value, i) => value / Math.sqrt(spread[i]! + epsilon));
}

async function foldedWeights(fold: Fold): Promise<Float32Array> {
  const weights = Float32Array.from(await readFloats(fold.site.tensor));
  const factor = await factors(fold);
  const perChannel = weights.length / factor.length;
  for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! * factor[Math.floor(i / perChannel)]!;
  return weights;
}

async function foldedBias(fold: Fold): Promise<Float32Array> {
  const [, beta, mean] = fold.statistics;
  const factor = await factors(fold);
  const [shift, middle] = [await readFloats(beta), await readFloats(mean)];
  const bias = fold.bias ? await readFloats(fold.bias) : new Float32Array(factor.length);
  return Float32Array.from(bias, (value, i) => (value - middle[i]!) * factor[i]! + shift[i]!);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
