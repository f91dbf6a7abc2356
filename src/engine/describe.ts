// The corridor behind `describe`.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function describe(_ask: Tasks['describe']['ask'], _work: Work): Promise<Tasks['describe']['answer']> {
  return refuse('unsupported', 'Not here yet.');
}
