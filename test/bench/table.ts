// CPU time of work on this thread, and a table of what came out.
import { cpuUsage } from 'node:process';

/** What a bench answers, as it goes to docs/evidence. */
export type Measured = Readonly<Record<string, unknown>>;

/** Milliseconds of processor time: other programs take turns with us, but not these. */
export function cpuMs(work: () => void): number {
  const before = cpuUsage();
  work();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export function print(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   ');
  console.log(`\n${title}\n${line(head)}\n${widths.map((width) => '─'.repeat(width)).join('───')}`);
  for (const row of rows) console.log(line(row));
}
