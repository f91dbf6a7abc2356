// Every decomposition, by `domain:Operator`. The list and nothing else.
import type { Node } from '../../graph/graph';
import type { Tape } from '../tape';

/**
 * Writes the node out on the tape and answers one value for each of the node's outputs (null: nobody can have it).
 * Null where this node can stay as it is.
 */
export type Decomposition = (tape: Tape, node: Node) => readonly (string | null)[] | null;

export const decompositions: Readonly<Record<string, Decomposition>> = {};
