// The corridor behind `fit`: whether a model's footprint fits a device.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function fit(ask: Tasks['fit']['ask'], _work: Work): Promise<Tasks['fit']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be fitted yet.`);
}
