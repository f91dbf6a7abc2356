// The corridor behind `forecast`.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function forecast(_ask: Tasks['forecast']['ask'], _work: Work): Promise<Tasks['forecast']['answer']> {
  return refuse('unsupported', 'Not here yet.');
}
