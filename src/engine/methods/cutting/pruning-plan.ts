// Which layers single weights can be taken from, how the inputs of one output lie in their tensors, and the reasons where they cannot.
import type { Refusal } from '../../../contract/words/refusal';
import { elementCount } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import type { Params, Subject } from '../method';
import { isInView } from './hessians';
import { keepIt, refusal } from './judge';
import { isSeenAsStored, rightMatrix } from './matrix';
import { hasPatches } from './patches';
import { dropOf } from './pruning-card';

/** `blocks` matrices one after another, each stored as rows of the K inputs of one output, or as K columns. */
export interface Lie {
  readonly blocks: number;
  readonly rows: number;
  readonly columns: number;
  readonly order: 'rows' | 'columns';
}

const recurrent = new Set(['LSTM', 'GRU', 'RNN']);

/**
 * Conv           [M, C, …k]        M rows of C·k
 * ConvTranspose  [C, M, …k]        C columns of M·k, group by group
 * LSTM and kin   [D, gates·H, K]   rows of K
 * MatMul, Gemm   […, K, N] or […, N, K]
 * Gather         [entries, width]  rows of an entry
 *
 * Null where a Reshape or another operator hides it.
 */
export function lieOf(site: LayerSite): Lie | null {
  const { op, channelAxis, tensor } = site;
  const { dims } = tensor;
  const count = elementCount(dims);
  const last = dims.at(-1) ?? 0;
  if (channelAxis === null || count === 0 || !isSeenAsStored(site)) return null;
  if (op === 'Conv' && channelAxis === 0)
    return { blocks: 1, rows: dims[0]!, columns: count / dims[0]!, order: 'rows' };
  if (op === 'ConvTranspose' && channelAxis === 1) {
    const group = site.node.attributes.get('group');
    const blocks = group?.type === 'int' ? Number(group.value) : 1;
    return { blocks, rows: count / dims[0]!, columns: dims[0]! / blocks, order: 'columns' };
  }
  if (recurrent.has(op) || (op === 'Gather' && channelAxis === 0 && dims.length === 2))
    return site.via.length === 0 ? { blocks: 1, rows: count / last, columns: last, order: 'rows' } : null;
  const { length } = dims;
  if (length < 2 || channelAxis < length - 2) return null;
  const [outer, inner] = [dims[length - 2]!, last];
  const blocks = count / (outer * inner);
  return channelAxis === length - 1
    ? { blocks, rows: inner, columns: outer, order: 'columns' }
    : { blocks, rows: outer, columns: inner, order: 'rows' };
}

const floats = new Set(['float32', 'float16', 'bfloat16']);

/** Why no single weights can be taken from a layer, or null. `ops`: what the method's card names. */
export function whyNotPruned(
  subject: Subject,
  site: LayerSite,
  params: Params,
  ops: readonly string[],
  chosen?: ReadonlySet<string>,
): Refusal | null {
  const own = whyNotAlone(site, params, ops);
  if (own) return own;
  for (const other of subject.sites) {
    if (other === site || other.tensor !== site.tensor) continue;
    const isTable = other.op === 'Gather' && params.tables !== true;
    if ((!chosen || chosen.has(other.name)) && !whyNotAlone(other, params, ops)) continue;
    return refusal(
      site,
      `It shares its weights with ${other.name}, which is not pruned.`,
      isTable && ops.includes('Gather') ? 'Switch tables on.' : 'Choose both, or leave both out.',
    );
  }
  return null;
}

function whyNotAlone(site: LayerSite, params: Params, ops: readonly string[]): Refusal | null {
  if (site.scales || site.bits < 16)
    return refusal(
      site,
      `Its weights are in ${site.bits} bits already, and codes are not pruned.`,
      'Put pruning before the quantizer.',
    );
  const { dtype } = site.tensor;
  if (!floats.has(dtype)) return refusal(site, `Its weights are ${dtype}; floats alone are pruned.`, keepIt);
  if (!ops.includes(site.op)) {
    const isTable = site.op === 'Gather';
    return isTable
      ? refusal(site, 'A table is looked up and not multiplied: its inputs tell nothing.', keepIt)
      : refusal(site, `Single weights of ${site.op} are not pruned.`, keepIt);
  }
  if (site.op === 'Gather' && params.tables !== true)
    return refusal(
      site,
      'Tables are left whole: each row is all that the model knows of one entry.',
      'Switch tables on to prune them as well.',
    );
  const drop = dropOf(params);
  if (!('of' in drop)) return null;
  const lie = lieOf(site);
  if (!lie) return refusal(site, 'Which of its weights belong to one output cannot be told.', 'Prune it anywhere.');
  if (lie.columns % drop.of === 0) return null;
  return refusal(
    site,
    `${lie.columns} weights of an output are no whole groups of ${drop.of}.`,
    'Prune it anywhere, or leave it out.',
  );
}

/** Why the inputs of a layer cannot be told, or null: then it is a matrix of `lieOf` with one block. */
export function whyUnseen({ model }: Subject, site: LayerSite): Refusal | null {
  const isMatrix = (site.op === 'MatMul' || site.op === 'Gemm') && rightMatrix(site) !== null;
  if ((isMatrix || hasPatches(site)) && isInView(model, site)) return null;
  const sentence =
    site.op === 'Conv'
      ? 'Inputs are told for convolutions of all channels over one or two axes, outside of subgraphs.'
      : 'Its inputs cannot be seen inside a subgraph, behind a transposition or on its left.';
  return refusal(site, sentence, 'Use prune-magnitude for it.');
}
