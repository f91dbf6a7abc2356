// What an adapter is: one operator over one change of its definition.
import { makeNode, tensorAttribute } from '../edit';
import type { DataType, Node, Tensor } from '../graph';
import type { Known } from '../shapes/known';
import { bytesTensor, encodeFloat16 } from '../tensor';

/** What an adapter may ask and add. */
export interface Adaptation {
  /** What is known of a value; nothing inside model-local functions. */
  known(name: string): Known;
  /** A name that no value or node of the model has. */
  fresh(wanted: string): string;
  /** Adds a constant beside the node; gives its name. */
  add(tensor: (name: string) => Tensor, wanted: string): string;
  /** Values somebody uses: an optional output that nobody uses may go. */
  isUsed(name: string): boolean;
}

/** The nodes that take the node's place, or a sentence that says why it cannot be brought over. */
export type Adapter = (node: Node, to: Adaptation) => readonly Node[] | string;

/** Adds a list of integers as a constant. Exporters write "to the end" as 2^63 − 1, which no double holds: it stays that. */
export function addInts(to: Adaptation, wanted: string, values: readonly number[], dims = [values.length]): string {
  const exact = BigInt64Array.from(values, (value) =>
    value >= 2 ** 63 ? 2n ** 63n - 1n : value <= -(2 ** 63) ? -(2n ** 63n) : BigInt(value),
  );
  return to.add((name) => bytesTensor(name, 'int64', dims, new Uint8Array(exact.buffer)), wanted);
}

/** Adds one number of a floating type; null where that type is not known or not floating. */
export function addFloat(to: Adaptation, wanted: string, dtype: DataType | null, value: number): string | null {
  const bytes = dtype === null ? null : encode(dtype, value);
  return bytes && to.add((name) => bytesTensor(name, dtype!, [], bytes), wanted);
}

function encode(dtype: DataType, value: number): Uint8Array | null {
  switch (dtype) {
    case 'float32':
      return new Uint8Array(new Float32Array([value]).buffer);
    case 'float64':
      return new Uint8Array(new Float64Array([value]).buffer);
    case 'float16':
      return new Uint8Array(encodeFloat16(new Float32Array([value])).slice().buffer);
    default:
      return null;
  }
}

/** A constant where initializers are not possible: inside model-local functions. */
export function constantNode(tensor: Tensor): Node {
  return makeNode('Constant', [], [tensor.name], { attributes: { value: tensorAttribute(tensor) } });
}

/** A name for what stands beside a node. */
export function beside(node: Node, what: string): string {
  return `${node.name || node.outputs[0] || node.op}_${what}`;
}
