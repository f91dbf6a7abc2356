// The corridor behind `run`.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function runRecipe(_ask: Tasks['run']['ask'], _work: Work): Promise<Tasks['run']['answer']> {
  return refuse('unsupported', 'Not here yet.');
}
