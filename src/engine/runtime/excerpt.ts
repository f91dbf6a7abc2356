// What fuses in a model too large to be written twice: one copy of each distinct block is cut out, loaded alone and counted for all its like.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { write } from '../formats/onnx';
import type { DataType, Graph, Model, Node, Tensor, Value } from '../graph/graph';
import type { Shapes } from '../graph/shapes';
import { consumers, everyGraph, producers } from '../graph/walk';
import { computesOnCodes, type OperatorCounts, readFused } from './optimise';

/** Operators around an integer product that the runtime may draw into it. */
const before = new Set(['DynamicQuantizeLinear', 'Mul', 'Reshape', 'Transpose']);
const after = new Set(['Cast', 'Mul', 'Add']);

/** Counts as `readFused` does, from excerpts; needs disk and memory for one block. */
export async function readFusedByBlock(model: Model, shapes: Shapes, folder: string): Promise<OperatorCounts> {
  const blocks = new Map<string, { excerpt: Model; times: number }>();
  for (const { graph } of everyGraph(model)) {
    const made = producers(graph);
    const users = consumers(graph);
    for (const node of graph.nodes) {
      if (!computesOnCodes.test(node.op)) continue;
      const nodes = blockAround(graph, node, made, users);
      const key = nodes.map((one) => signature(graph, one)).join(' ');
      const known = blocks.get(key);
      if (known) known.times++;
      else blocks.set(key, { excerpt: excerptOf(model, graph, nodes, shapes), times: 1 });
    }
  }
  const counts = new Map<string, number>();
  for (const { excerpt, times } of blocks.values()) {
    for (const [operator, count] of Object.entries(await countOne(excerpt, folder)))
      counts.set(operator, (counts.get(operator) ?? 0) + count * times);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The node with what quantizes its input and what turns its integers back to floats, in the order of the graph. */
function blockAround(
  graph: Graph,
  node: Node,
  made: ReadonlyMap<string, Node>,
  users: ReadonlyMap<string, readonly Node[]>,
): Node[] {
  const block = new Set([node]);
  const reach = (one: Node): void => {
    for (const name of one.inputs) {
      const source = made.get(name);
      if (source && before.has(source.op) && !block.has(source)) {
        block.add(source);
        reach(source);
      }
    }
  };
  reach(node);
  for (let at = node; ; ) {
    const next = users.get(at.outputs[0] ?? '');
    const [only] = next ?? [];
    if (next?.length !== 1 || !only || !after.has(only.op) || block.has(only)) break;
    block.add(only);
    // Beside the chain: the product of the two scales, which is a Mul too.
    for (const name of only.inputs) {
      const source = made.get(name);
      if (source?.op === 'Mul' && source !== at && only.op === 'Mul') block.add(source);
    }
    at = only;
  }
  return graph.nodes.filter((one) => block.has(one));
}

/** Equal for blocks that the runtime treats alike: operators, attributes, and types and sizes of constants. */
function signature(graph: Graph, { op, domain, inputs, attributes }: Node): string {
  const constants = inputs.map((name) => {
    const tensor = graph.initializers.get(name);
    return tensor ? `${tensor.dtype}[${tensor.dims}]` : name === '' ? '-' : '?';
  });
  const settings = [...attributes].map(([name, attribute]) => {
    const { value } = attribute;
    return `${name}=${typeof value === 'object' ? attribute.type : value}`;
  });
  return `${domain}:${op}(${constants};${settings})`;
}

function excerptOf(model: Model, graph: Graph, nodes: readonly Node[], shapes: Shapes): Model {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const initializers = new Map<string, Tensor>();
  const inputs = new Map<string, Value>();
  for (const name of nodes.flatMap((node) => node.inputs)) {
    if (name === '' || made.has(name)) continue;
    const tensor = graph.initializers.get(name);
    if (tensor) initializers.set(name, tensor);
    else inputs.set(name, inputNamed(name, shapes.get(name)?.dtype ?? 'float32'));
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const outputs = [...made].filter((name) => name !== '' && !used.has(name)).map((name) => ({ name, type: null }));
  return {
    ...model,
    functions: [],
    graph: {
      name: 'excerpt',
      nodes,
      initializers,
      sparse: new Map(),
      inputs: [...inputs.values()],
      outputs,
      values: new Map(),
    },
  };
}

function inputNamed(name: string, dtype: DataType): Value {
  return { name, type: { kind: 'tensor', dtype, shape: null } };
}

async function countOne(excerpt: Model, folder: string): Promise<OperatorCounts> {
  const place = join(folder, 'excerpt');
  await mkdir(place);
  try {
    const [file] = await write(excerpt, { folder: place, file: 'block.onnx' });
    return await readFused(join(place, file!), place);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
