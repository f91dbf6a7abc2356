// What the steps before it do to a layer that is previewed: those that prepare or prune weights are taken in memory, where that needs no data and not too long.
import type { Step } from '../contract/words/recipe';
import { storedBytes } from './graph/graph';
import type { Kernels } from './kernels';
import type { Kept, Made } from './methods/cutting/scratch';
import { kernelWorkshop } from './methods/cutting/workshop';
import type { Method, Params, Subject } from './methods/method';
import { methodOf, withDefaults } from './recipe';
import { takeSteps } from './recipe-steps';

/** Weights of a model that is prepared while a person waits, all together. */
const mostBytes = 2 ** 28;

export function learnsFromData(method: Method, params: Params): boolean {
  return (method.needs?.(params) ?? method.card.needs).some((need) => need !== 'weights');
}

interface Prepared {
  readonly of: Subject;
  readonly key: string;
  readonly subject: Subject;
}
let prepared: Prepared | null = null;

/** The model as the preparing steps leave it; `notes` hears what was left out. The last answer stays warm. */
export async function prepare(
  start: Subject,
  before: readonly Step[],
  kernels: () => Promise<Kernels>,
  notes: string[],
  signal: AbortSignal,
): Promise<Subject> {
  const preparing = before.filter((step) => /^(precondition|prune)$/.test(methodOf(step).card.family));
  const taken = preparing.filter((step) => {
    const method = methodOf(step);
    const { title } = method.card;
    if (learnsFromData(method, withDefaults(method.card, step.params))) {
      notes.push(`Without ${title}, which learns from calibration samples.`);
      return false;
    }
    if (weightsOf(start) > mostBytes) {
      notes.push(`Without ${title}: the model is too large to be prepared for a preview.`);
      return false;
    }
    return true;
  });
  if (taken.length === 0) return start;
  const key = JSON.stringify(taken);
  if (prepared?.of !== start || prepared.key !== key) {
    const workshop = kernelWorkshop(await kernels(), inMemory, signal);
    const steps = takeSteps(start, { lathe: 1, steps: [...taken] }, workshop);
    for (;;) {
      signal.throwIfAborted();
      const next = await steps.next();
      if (!next.done) continue;
      prepared = { of: start, key, subject: next.value.subject };
      break;
    }
  }
  return prepared.subject;
}

export function forgetPrepared(): void {
  prepared = null;
}

/** Stands for the scratch file: what is made stays in memory, and nothing of it is needed twice. */
export const inMemory = {
  async once(_: string, make: () => Promise<Made>): Promise<Kept> {
    const { parts, loss } = await make();
    return { parts: parts.map((bytes) => bytes && { kind: 'bytes', bytes }), loss };
  },
};

function weightsOf({ sites }: Subject): number {
  return [...new Set(sites.map(({ tensor }) => tensor))].reduce((sum, tensor) => sum + storedBytes(tensor), 0);
}
