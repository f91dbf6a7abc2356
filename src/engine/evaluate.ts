// The corridor behind `evaluate`: quality and speed of a model as it is, and its agreement with another.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function evaluate(ask: Tasks['evaluate']['ask'], _work: Work): Promise<Tasks['evaluate']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be evaluated yet.`);
}
