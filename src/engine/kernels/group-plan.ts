// How a weight matrix is cut into pieces of whole groups, so that memory stays bounded whatever its size.

import { feedbackBytes } from './feedback-bytes';

export interface GroupShape {
  /** Output channels and the elements of each. */
  readonly rows: number;
  readonly columns: number;
  readonly order: 'rows' | 'columns';
  readonly group: number;
  readonly bits: 2 | 4 | 8;
  readonly pack: 'blocks' | 'plain';
  /** Stored rows (order `rows`) or groups along K (order `columns`, not `whole`) that are looked at, of all; equal where all are. */
  readonly taken: number;
  readonly of: number;
  /** Pieces hold whole channels, and a sample is of channels whatever the order: rounding with feedback runs along all of K, and groups may be longer than a sample. */
  readonly whole: boolean;
}

/** Channels [row, row + lines) and their groups [groupFrom, groupFrom + groups), counted in the matrix that is looked at. */
export interface GroupPiece {
  readonly row: number;
  readonly lines: number;
  readonly groupFrom: number;
  readonly groups: number;
}

/** Weights of a usual piece: a mebibyte, which stays in the second-level cache. */
const usualPiece = 2 ** 18;
/** Of a panel: at least 4 KiB of each stored row, so that reading is not all calls, in at most 8 MiB. */
const leastPanel = 1024;
const mostPiece = 2 ** 21;
/** Channels of a whole piece: what is unpacked for them is used by all of them. Fewer where they are long, few or a sample. */
const mostLines = 256;
const sampledLines = 16;

/** The matrix that is looked at: all of it, or the sample. */
export class GroupPlan {
  readonly shape: GroupShape;
  /** Of the matrix looked at. */
  readonly rows: number;
  readonly columns: number;
  /** Groups of a channel. */
  readonly groups: number;
  /** Codes of a group with its padding; 0 where codes lie as the weights do. */
  readonly padded: number;
  /** True where every piece's codes begin and end with a byte of their own. */
  readonly packsInPieces: boolean;
  readonly pieces: number;
  readonly #linesPerPiece: number;
  readonly #groupsPerPiece: number;
  readonly #piecesAcross: number;

  constructor(shape: GroupShape) {
    const { rows, order, group, bits, pack, taken, of, whole } = shape;
    const perByte = 8 / bits;
    this.shape = shape;
    this.rows = order === 'rows' || whole ? taken : rows;
    this.groups = order === 'columns' && !whole ? taken : Math.ceil(shape.columns / group);
    this.columns = shape.columns;
    if (order === 'columns' && !whole && taken < of) {
      this.columns = 0;
      for (let g = 0; g < taken; g++) this.columns += this.#groupLength(g);
    }
    this.padded = pack === 'blocks' ? Math.ceil(group / perByte) * perByte : 0;
    const sampled = taken < of;
    if (whole) {
      const most = this.columns > 8192 || this.rows < 1024 ? mostLines / 2 : mostLines;
      this.#linesPerPiece = Math.min(this.rows, sampled ? sampledLines : most);
      this.#groupsPerPiece = this.groups;
      this.packsInPieces =
        order === 'rows'
          ? (this.#linesPerPiece * this.columns) % perByte === 0 || this.#linesPerPiece === this.rows
          : this.rows % perByte === 0;
    } else if (order === 'rows') {
      // Padding can make codes outnumber weights many times (K = 9 in groups of 32): four codes take the room of a weight.
      const line = Math.max(this.columns, (this.groups * this.padded) / 4);
      const fit = Math.floor(usualPiece / line);
      const full = fit >= 1 || this.groups === 1;
      this.#linesPerPiece = Math.min(this.rows, fit >= 4 ? fit - (fit % 4) : Math.max(1, fit));
      this.#groupsPerPiece = full ? this.groups : Math.max(1, Math.floor(usualPiece / group));
      this.packsInPieces = full
        ? (this.#linesPerPiece * this.columns) % perByte === 0 || this.#linesPerPiece === this.rows
        : this.columns % perByte === 0 && (this.#groupsPerPiece * group) % perByte === 0;
    } else {
      const usual = Math.max(leastPanel, Math.floor(usualPiece / group));
      // Sixteen floats are a cache line: narrower panels would read every line twice.
      const panel = Math.max(16, Math.min(usual, Math.floor(mostPiece / group)) & ~15);
      const wholeRows = rows <= panel;
      this.#linesPerPiece = Math.min(rows, panel);
      this.#groupsPerPiece = wholeRows && !sampled ? Math.max(1, Math.floor(usualPiece / (group * rows))) : 1;
      this.packsInPieces = wholeRows
        ? (group * rows * this.#groupsPerPiece) % perByte === 0 || this.#groupsPerPiece >= this.groups
        : rows % perByte === 0;
    }
    if (pack === 'blocks') this.packsInPieces = true;
    this.#piecesAcross = Math.ceil(this.groups / this.#groupsPerPiece);
    this.pieces = Math.ceil(this.rows / this.#linesPerPiece) * this.#piecesAcross;
  }

  piece(index: number): GroupPiece {
    const row = Math.floor(index / this.#piecesAcross) * this.#linesPerPiece;
    const groupFrom = (index % this.#piecesAcross) * this.#groupsPerPiece;
    return {
      row,
      lines: Math.min(this.#linesPerPiece, this.rows - row),
      groupFrom,
      groups: Math.min(this.#groupsPerPiece, this.groups - groupFrom),
    };
  }

  /** Where the piece's channels begin and end along K, in the matrix looked at. */
  span({ groupFrom, groups }: GroupPiece): { from: number; to: number } {
    const { group } = this.shape;
    return { from: groupFrom * group, to: Math.min((groupFrom + groups) * group, this.columns) };
  }

  /** The stored row of a row looked at; evenly spread. */
  storedRow(row: number): number {
    const { taken, of } = this.shape;
    return taken === of ? row : Math.floor((row * of) / taken);
  }

  /** Where a group looked at begins along the stored K (order `columns`). */
  storedGroup(group: number): number {
    const { taken, of } = this.shape;
    return (taken === of ? group : Math.floor((group * of) / taken)) * this.shape.group;
  }

  /** Bytes of a piece in its slot: weights as stored and in lines, codes, packed codes, scales, zeros, and the rest. */
  get slotBytes(): number {
    const groups = this.#linesPerPiece * this.#groupsPerPiece;
    const weights = this.#linesPerPiece * Math.min(this.columns, this.#groupsPerPiece * this.shape.group);
    const codes = this.padded > 0 ? groups * this.padded : weights;
    const feedback = this.shape.whole ? feedbackBytes(this.#linesPerPiece, this.columns, this.groups) : 0;
    return weights * 20 + codes * 3 + groups * 9 + feedback + 65536;
  }

  #groupLength(group: number): number {
    return Math.min(this.shape.group, this.shape.columns - this.storedGroup(group));
  }
}
