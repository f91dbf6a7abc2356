// The corridors behind `bundles`: what would be in a bundle, writing one, and proving one.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function bundleParts(
  ask: Tasks['bundleParts']['ask'],
  _work: Work,
): Promise<Tasks['bundleParts']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be bundled yet.`);
}

export async function exportBundle(ask: Tasks['bundle']['ask'], _work: Work): Promise<Tasks['bundle']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be bundled yet.`);
}

export async function verifyBundle(ask: Tasks['verify']['ask'], _work: Work): Promise<Tasks['verify']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be verified yet.`);
}
