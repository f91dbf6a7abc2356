// The list of tasks, and what is asked and answered in each.
import { bins } from './bins';
import { factor, unit } from './factor';
import { float16 } from './float16';
import { gram } from './gram';
import { load } from './load';
import { preview } from './preview';
import { above, magnitudes, masked, twoOfFour } from './prune';
import { quantize } from './quantize';
import { sparse } from './sparse';
import { sums } from './sums';
import type { Starter } from './task';

export const starters = {
  sums,
  bins,
  quantize,
  float16,
  load,
  preview,
  factor,
  unit,
  gram,
  magnitudes,
  above,
  twoOfFour,
  masked,
  sparse,
} as const;
export type TaskName = keyof typeof starters;

export type Tasks = {
  readonly [Name in TaskName]: (typeof starters)[Name] extends Starter<infer Ask, infer Piece, infer End>
    ? { readonly ask: Ask; readonly piece: Piece; readonly end: End }
    : never;
};
