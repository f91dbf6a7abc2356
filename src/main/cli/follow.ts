// Follows one run to its end: a bar on a terminal, quiet otherwise. Ctrl-C closes the host, which cancels the run.
import { Refused } from '../../contract/words/refusal';
import type { Progress, RunRow } from '../../contract/words/run';
import type { Client } from './command';

const hasEnded = (row: RunRow) => row.state !== 'queued' && row.state !== 'running';

/** The row of a run that was done; every other end is its refusal. */
export async function follow(client: Client, id: string): Promise<RunRow> {
  const bar = openBar();
  const events = await client.runs.watch();
  try {
    // The subscription begins with the first `next`; the row is read after it, so nothing falls between.
    let next = events.next();
    let row = await client.runs.get({ id });
    while (!hasEnded(row)) {
      const event = await next;
      if (event.done) break;
      next = events.next();
      if (event.value.kind === 'progress' && event.value.id === id) bar.draw(event.value.progress);
      if (event.value.kind === 'row' && event.value.row.id === id) row = event.value.row;
      if (event.value.kind === 'log' && event.value.id === id && event.value.line.level !== 'info')
        bar.say(event.value.line.text);
    }
    next.catch(() => {});
    if (row.state === 'done') return row;
    throw new Refused(row.error ?? { code: row.state === 'cancelled' ? 'cancelled' : 'failed', sentence: ended(row) });
  } finally {
    bar.clear();
    await events.return?.(undefined);
  }
}

const ended = (row: RunRow) => `Run ${row.number} ended as ${row.state}.`;

const barWidth = 24;

/** One line on stderr that is drawn over; without a terminal nothing is written at all. */
function openBar(stream: NodeJS.WriteStream = process.stderr) {
  const erase = '\r\u001b[2K';
  const draw = ({ share, text, secondsLeft }: Progress) => {
    if (!stream.isTTY) return;
    const full = Math.round(share * barWidth);
    const left = secondsLeft === null ? 'finding out how long' : `${Math.ceil(secondsLeft)} s left`;
    const line = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${Math.round(share * 100)} %  ${text}, ${left}`;
    stream.write(`${erase}${line.slice(0, (stream.columns || 80) - 1)}`);
  };
  return {
    draw,
    say: (text: string) => void (stream.isTTY && stream.write(`${erase}${text}\n`)),
    clear: () => void (stream.isTTY && stream.write(erase)),
  };
}
