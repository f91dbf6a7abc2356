// Shapes and element types of every value, found without running the model.
import type { DataType, Dim, Model } from './graph';
import { everyGraph } from './walk';

export interface Shape {
  readonly dtype: DataType | null;
  readonly shape: readonly Dim[] | null;
}

/** Value name → what is known of it. Values of subgraphs are in it too; names that two subgraphs share keep what agrees. */
export type Shapes = ReadonlyMap<string, Shape>;

export async function inferShapes(model: Model): Promise<Shapes> {
  const found = new Map<string, Shape>();
  for (const { graph } of everyGraph(model)) {
    for (const value of [...graph.inputs, ...graph.values.values(), ...graph.outputs]) {
      if (value.type?.kind === 'tensor') found.set(value.name, { dtype: value.type.dtype, shape: value.type.shape });
    }
    for (const { name, dtype, dims } of graph.initializers.values()) found.set(name, { dtype, shape: dims });
  }
  return found;
}
