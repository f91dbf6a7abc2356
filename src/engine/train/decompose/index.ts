// Fused and composite operators written out in operators that have gradient rules. Initializers keep their names.
import { makeNode } from '../../graph/edit';
import type { Model, Node } from '../../graph/graph';
import { nodeLabels } from '../../graph/walk';
import { constantsOf } from '../constants';
import { type Known, openTape } from '../tape';
import { withUnpackedProducts } from './packed';
import { decompositions } from './table';

export interface Decomposed {
  readonly model: Model;
  /** What was known, and every value that is new. */
  readonly known: ReadonlyMap<string, Known>;
}

/** The same answers from operators that have gradient rules where the table knows how; shapes are static (`withFixedInputs`). */
export async function decompose(model: Model, known: ReadonlyMap<string, Known>): Promise<Decomposed> {
  const unpacked = await withUnpackedProducts(model.graph, known);
  const { graph } = unpacked;
  if (!graph.nodes.some(isComposite)) return { model: { ...model, graph }, known: unpacked.known };
  const tape = openTape({
    graph,
    known: unpacked.known,
    constants: await constantsOf(model),
    wanted: new Set(),
    opset: model.opsets.get('') ?? 1,
  });
  const labels = nodeLabels(graph);
  const nodes = graph.nodes.flatMap((node, index) => writtenOut(node, labels[index]!));
  const initializers = new Map([...graph.initializers, ...tape.constantsMade]);
  return { model: { ...model, graph: { ...graph, nodes, initializers } }, known: tape.everything };

  function writtenOut(node: Node, label: string): Node[] {
    const written = decompositions[keyOf(node)];
    if (!written) return [node];
    tape.under(label);
    const before = tape.nodes.length;
    const values = written(tape, node);
    if (!values) return [node];
    const made = tape.nodes.slice(before).flatMap((inner) => writtenOut(inner, label));
    const ends = node.outputs.flatMap((name, i) => {
      if (name === '') return [];
      const value = values[i];
      if (!value) throw new Error(`the decomposition of ${node.op} does not make its output ${i}`);
      return [makeNode('Identity', [value], [name], { name: `${label}/output_${i}` })];
    });
    return [...made, ...ends];
  }
}

const keyOf = ({ domain, op }: Node): string => `${domain}:${op}`;
const isComposite = (node: Node): boolean => Object.hasOwn(decompositions, keyOf(node));
