// The walk over groups that plain kernels share.

/** Calls `visit` for each group with its index, the index of its first weight and of its first code, and its length. */
export function eachGroup(
  lines: number,
  line: number,
  group: number,
  padded: number,
  visit: (index: number, weight: number, code: number, length: number) => void,
): void {
  const groups = Math.ceil(line / group);
  for (let n = 0; n < lines; n++) {
    for (let g = 0; g < groups; g++) {
      const weight = n * line + g * group;
      const code = padded === 0 ? weight : (n * groups + g) * padded;
      visit(n * groups + g, weight, code, Math.min(group, line - g * group));
    }
  }
}
