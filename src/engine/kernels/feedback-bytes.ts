// What rounding with feedback takes of a slot beside the weights and their codes.
import { tileSide } from './reference/factor';

/** Floats between lines beyond their places: a power of two would put all lines into the same cache sets. */
export const linesApart = 16;

/** For `lines` whole channels: originals and what was lost, a tile of both, the grid, and the tables of places. */
export function feedbackBytes(lines: number, columns: number, groups: number): number {
  const full = Math.ceil(lines / 4) * 4;
  const places = Math.ceil(columns / tileSide) * tileSide;
  return full * (places * 8 + linesApart * 4 + tileSide * 4 + (groups + 1) * 12) + places * 8 + 1024;
}
