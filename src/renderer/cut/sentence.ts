// The cut in one sentence, for readers and tests: *11.2 M parameters; 15 layers in int4, 6 in int8; 15 % of the bytes.*
import { compact, percent, plural } from '../format';
import { precisionOf, precisions } from '../precision';
import type { CutLayer } from './geometry';

export function cutSentence(layers: readonly CutLayer[], bytesShare: number | null): string {
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const counts = precisions
    .map((precision) => ({ precision, n: layers.filter((layer) => precisionOf(layer.bits) === precision).length }))
    .filter(({ n }) => n > 0)
    .sort((one, other) => other.n - one.n);
  const kinds = counts.map(({ precision, n }, at) => `${at === 0 ? plural(n, 'layer') : n} in ${precision}`).join(', ');
  const share = bytesShare === null ? '' : `; ${percent(bytesShare, 0)} of the bytes`;
  return `${compact(parameters)} parameters; ${kinds || 'no layers'}${share}.`;
}
