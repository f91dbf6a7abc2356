// Cuts token sequences into windows of a model's context, so that every token is scored once.

export interface WindowRule {
  /** Tokens a window holds at most, its BOS included. */
  readonly contextLength: number;
  /** Tokens from the beginning of one window to that of the next; no more than leaves every token scored. */
  readonly stride: number;
  /** A BOS stands before each window. */
  readonly bos: boolean;
}

/** Tokens [from, to) of a document; those from `scoredFrom` on are scored here, the others are context. */
export interface Window {
  readonly document: number;
  readonly from: number;
  readonly to: number;
  readonly scoredFrom: number;
}

/**
 * Without a BOS nothing predicts a document's first token, and windows overlap by one token at least: the last of a window
 * predicts the first that the next one scores.
 */
export function cutWindows(lengths: readonly number[], { contextLength, stride, bos }: WindowRule): Window[] {
  const room = bos ? contextLength - 1 : contextLength;
  const step = Math.max(1, Math.min(stride, bos ? room : room - 1));
  const windows: Window[] = [];
  lengths.forEach((length, document) => {
    let scoredFrom = bos ? 0 : 1;
    for (let from = 0; scoredFrom < length; from += step) {
      const to = Math.min(length, from + room);
      windows.push({ document, from, to, scoredFrom });
      scoredFrom = to;
    }
  });
  return windows;
}
