// Timing against a yardstick in the same breath, and a table of what came out.

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** The value below which a tenth lies. */
function quick(times: number[]): number {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 10)]!;
}

/**
 * Milliseconds of `work` on a piece, and the time of `yardstick` over it. They take turns over the pieces, `sweeps` times; of each the
 * quickest tenth counts: pieces are short, and on a machine that does other things too the rest measures the others.
 */
export function against(
  pieces: number,
  sweeps: number,
  yardstick: (piece: number) => void,
  work: (piece: number) => void,
): { ms: number; ratio: number; yardstickMs: number } {
  const base: number[] = [];
  const own: number[] = [];
  // The first sweep is for the compiler.
  for (let sweep = 0; sweep <= sweeps; sweep++) {
    for (let piece = 0; piece < pieces; piece++) {
      const yard = timed(() => yardstick(piece));
      const ms = timed(() => work(piece));
      if (sweep === 0) continue;
      base.push(yard);
      own.push(ms);
    }
  }
  const yardstickMs = quick(base);
  return { ms: quick(own), ratio: yardstickMs / quick(own), yardstickMs };
}

export function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   ');
  console.log(`\n${title}\n${line(head)}\n${widths.map((width) => '─'.repeat(width)).join('───')}`);
  for (const row of rows) console.log(line(row));
}
