// The corridor behind `checkRecipe`.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function checkRecipe(_ask: Tasks['checkRecipe']['ask'], _work: Work): Promise<Tasks['checkRecipe']['answer']> {
  return refuse('unsupported', 'Not here yet.');
}
