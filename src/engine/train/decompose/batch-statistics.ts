// BatchNormalization while it trains: normalised by the batch at hand, whose mean and variance come out for the running ones to follow.
import { floatAttribute, freshName, intAttribute, namesIn, readFloat, readInt, withAttributes } from '../../graph/edit';
import { elementCount, type Model, type Node } from '../../graph/graph';
import type { Known } from '../tape';

/** What one layer measures of each batch. */
export interface BatchStatistics {
  /** Name of the node. */
  readonly layer: string;
  /** Initializers of the running statistics [C]. */
  readonly mean: string;
  readonly variance: string;
  /** Values of the graph [C]; the variance is Σ(x − μ)²/count. */
  readonly batchMean: string;
  readonly batchVariance: string;
  /** Elements of one channel in a batch; Σ(x − μ)²/(count − 1) is what the running variance follows in PyTorch. */
  readonly count: number;
  /** running ← momentum·running + (1 − momentum)·batch */
  readonly momentum: number;
}

export interface TrainingNorms {
  readonly model: Model;
  readonly known: ReadonlyMap<string, Known>;
  readonly statistics: readonly BatchStatistics[];
}

/**
 * Every BatchNormalization that `trains` (default: all with their statistics as initializers) normalises by its own batch. The runtime's
 * operator hands out running statistics; with a momentum of 0 they are the batch's.
 */
export function withBatchStatistics(
  model: Model,
  known: ReadonlyMap<string, Known>,
  trains: (node: Node) => boolean = () => true,
): TrainingNorms {
  const { graph } = model;
  const taken = namesIn(graph);
  const wider = new Map(known);
  const statistics: BatchStatistics[] = [];
  const nodes = graph.nodes.map((node) => {
    const [x, , , mean, variance] = node.inputs;
    if (node.op !== 'BatchNormalization' || node.domain !== '' || !trains(node)) return node;
    if (!graph.initializers.has(mean!) || !graph.initializers.has(variance!)) return node;
    const { dtype, dims } = known.get(x!)!;
    const channels = dims[1] ?? 1;
    const [batchMean, batchVariance] = ['mean', 'variance'].map((what) => {
      const name = freshName(taken, `${node.outputs[0]}/batch_${what}`);
      wider.set(name, { dtype, dims: [channels] });
      return name;
    }) as [string, string];
    statistics.push({
      layer: node.name,
      ...{ mean: mean!, variance: variance!, batchMean, batchVariance },
      count: elementCount(dims) / channels,
      momentum: readFloat(node, 'momentum', 0.9),
    });
    const training = { training_mode: intAttribute(1), momentum: floatAttribute(0) };
    return { ...withAttributes(node, training), outputs: [node.outputs[0]!, batchMean, batchVariance] };
  });
  return { model: { ...model, graph: { ...graph, nodes } }, known: wider, statistics };
}

/** Whether a model has layers that would train this way. */
export const normalisesByBatch = ({ graph }: Model): boolean =>
  graph.nodes.some((node) => node.op === 'BatchNormalization' && readInt(node, 'training_mode', 0) === 0);
