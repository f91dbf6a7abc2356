// Lines only one of two texts has, in the order in which one reads them both.

export interface DifferentLine {
  sign: '−' | '+';
  text: string;
}

/** The longest common lines stay; what is left of A is removed, what is left of B is added. */
export function lineDifference(a: readonly string[], b: readonly string[]): DifferentLine[] {
  // Lengths of the longest common subsequence of the tails.
  const tails = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const tail = (i: number, j: number): number => tails[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      tails[i]![j] = a[i] === b[j] ? tail(i + 1, j + 1) + 1 : Math.max(tail(i + 1, j), tail(i, j + 1));
  const lines: DifferentLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || tail(i + 1, j) >= tail(i, j + 1)))
      lines.push({ sign: '−', text: a[i++]! });
    else lines.push({ sign: '+', text: b[j++]! });
  }
  return lines;
}
