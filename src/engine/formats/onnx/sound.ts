// From what a file says to a graph that holds: what every runtime forgives is put right with a note, the rest is refused.
import { refuse } from '../../../contract/words/refusal';
import type { Model } from '../../graph/graph';
import { modelInOrder } from '../../graph/order';
import { verify } from '../../graph/verify';
import { everyNode } from '../../graph/walk';

/** Operator sets that onnxruntime imports by itself, each at its only version; its own optimiser leaves the import out. */
const builtIn = ['com.microsoft', 'com.microsoft.nchwc', 'com.ms.internal.nhwc'];

export function sound(read: Model, name: string): { model: Model; notes: string[] } {
  const notes: string[] = [];
  let model = read;

  const used = new Set(everyNode(model).map(({ node }) => node.domain));
  const missing = builtIn.filter((domain) => used.has(domain) && !model.opsets.has(domain));
  if (missing.length > 0) {
    model = { ...model, opsets: new Map([...model.opsets, ...missing.map((domain) => [domain, 1] as const)]) };
    notes.push(`The model uses ${missing.join(' and ')} without importing it; the import is added.`);
  }

  const ordered = modelInOrder(model);
  if (ordered !== model) {
    model = ordered;
    notes.push('Some nodes stood before the ones they read from; they are put in order.');
  }

  const [first, ...more] = verify(model);
  if (first !== undefined) {
    refuse(
      'bad-model',
      `${name} is not a sound graph: ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}.`,
    );
  }
  return { model, notes };
}
