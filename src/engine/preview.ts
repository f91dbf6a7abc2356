// The corridor behind `preview`.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function preview(_ask: Tasks['preview']['ask'], _work: Work): Promise<Tasks['preview']['answer']> {
  return refuse('unsupported', 'Not here yet.');
}
