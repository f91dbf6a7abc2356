// Forms of an operator whose meaning changed or went away: a model that uses one stays at its opset.
import { readInt } from '../../edit';
import type { Adapter } from '../adapter';

/** AveragePool-19 counts the padding of a last, partial window differently. */
export const averagePool: Adapter = (node) =>
  readInt(node, 'ceil_mode', 0) === 1 && readInt(node, 'count_include_pad', 0) === 1
    ? 'an AveragePool counts padding in partial windows (ceil_mode with count_include_pad), which changed'
    : [node];

/** Scan-8 has a batch axis of its own and lengths per sample. */
export const scan: Adapter = () => 'a Scan of opset 8 has a batch axis that later versions do not have';
