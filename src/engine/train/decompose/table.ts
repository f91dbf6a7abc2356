// Every decomposition, by `domain:Operator`. The list and nothing else.
import type { Node } from '../../graph/graph';
import type { Tape } from '../tape';
import { biasGelu, erfGelu, fastGelu, fusedMatMul, quickGelu } from './activations';
import { attention } from './attention';
import { fusedAttention, groupQueryAttention, multiHeadAttention } from './attention-fused';
import * as normalise from './normalise';
import { recurrent } from './recurrent';
import { rotaryEmbedding } from './rotary';

/**
 * Writes the node out on the tape and answers one value for each of the node's outputs (null: nobody can have it).
 * Null where this node can stay as it is.
 */
export type Decomposition = (tape: Tape, node: Node) => readonly (string | null)[] | null;

export const decompositions: Readonly<Record<string, Decomposition>> = {
  ':Attention': attention,
  ':GRU': recurrent,
  ':GlobalLpPool': normalise.globalLpPool,
  ':GroupNormalization': normalise.groupNormalization,
  ':LRN': normalise.localResponseNormalization,
  ':LSTM': recurrent,
  ':LpNormalization': normalise.lpNormalization,
  ':LpPool': normalise.lpPool,
  ':MeanVarianceNormalization': normalise.meanVarianceNormalization,
  ':RNN': recurrent,
  ':RotaryEmbedding': rotaryEmbedding,

  'com.microsoft:Attention': fusedAttention,
  'com.microsoft:BiasGelu': biasGelu,
  'com.microsoft:FastGelu': fastGelu,
  'com.microsoft:FusedMatMul': fusedMatMul,
  'com.microsoft:Gelu': erfGelu,
  'com.microsoft:GroupQueryAttention': groupQueryAttention,
  'com.microsoft:MultiHeadAttention': multiHeadAttention,
  'com.microsoft:QuickGelu': quickGelu,
  'com.microsoft:RotaryEmbedding': rotaryEmbedding,
  'com.microsoft:SkipLayerNormalization': normalise.skipLayerNormalization,
  'com.microsoft:SkipSimplifiedLayerNormalization': normalise.skipSimplifiedLayerNormalization,
};
