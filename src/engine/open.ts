// The corridor behind `models.open`: from a path to layers, from headers alone; and the sweep of statistics that follows.
import { refuse } from '../contract/words/refusal';
import type { Tasks, Work } from './tasks';

export async function openModel(ask: Tasks['open']['ask'], _work: Work): Promise<Tasks['open']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be opened yet.`);
}

export async function statistics(ask: Tasks['statistics']['ask'], _work: Work): Promise<Tasks['statistics']['answer']> {
  return refuse('unsupported', `${ask.path} cannot be read yet.`);
}
