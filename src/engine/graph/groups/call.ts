// What a rule is told about a node when channels are followed through it, and what it tells back.
import type { Dim, Node } from '../graph';
import type { Axis, Channels } from './channels';

export interface Call {
  readonly node: Node;
  readonly channels: Channels;
  /** The end of a sentence: "Softmax /attn/Softmax goes over them". */
  readonly reason: string;
  /** One for each dimension of an input. Throws `Lost` where its rank is not known. */
  axes(input: number): readonly Axis[];
  shape(input: number): readonly Dim[];
  has(input: number): boolean;
  /** Dimensions of an output; throws `Lost` where they are not known. */
  out(output?: number): readonly Dim[];
  /** Elements of a small stored input; null where it is computed, or absent. */
  values(input: number): readonly number[] | null;
  /** The node is a layer, and these are its output channels. */
  makes(axis: Axis): void;
  /** The node adds up over this axis of an input: what a channel without values there adds is nothing. */
  reads(input: number, axis: number): void;
  /** This input scales the channels of a norm. */
  scales(input: number): void;
}

/** Axes of each output. */
export type Rule = (call: Call) => readonly (readonly Axis[])[];

/** Channels cannot be followed any further; everything that goes into the node stays whole. */
export class Lost extends Error {}

/** Numpy broadcasting: places that meet go together. */
export function broadcast(call: Call, inputs: readonly number[], out: readonly Dim[] = call.out()): Axis[] {
  const result: (Axis | undefined)[] = out.map(() => undefined);
  for (const input of inputs) {
    const axes = call.axes(input);
    const shape = call.shape(input);
    const lead = out.length - axes.length;
    for (const [i, axis] of axes.entries()) {
      if (shape[i] === 1) continue;
      const known = result[lead + i];
      result[lead + i] = known === undefined ? axis : call.channels.same(known, axis);
    }
  }
  return result.map((axis, i) => axis ?? (out[i] === 1 ? '' : call.reason));
}

export function axisAt(axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!(at >= 0 && at < rank)) throw new Lost();
  return at;
}

/** An axis that the node goes along as a whole: nothing of it can be left out. */
export function wholly(call: Call, axis: Axis): Axis {
  call.channels.fix(axis, call.reason);
  return typeof axis === 'string' ? axis || call.reason : axis;
}
